package mcpserver

import (
	"encoding/json"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/jsonschema-go/jsonschema"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/procession-go/procession/internal/testkit"
)

// toolRow is what the table of tools says of one.
type toolRow struct{ params, results []string }

// documentedTools reads the table of tools in docs/agents.md.
func documentedTools(t *testing.T) map[string]toolRow {
	t.Helper()
	text, err := os.ReadFile("../../docs/agents.md")
	require.NoError(t, err)
	_, table, found := strings.Cut(string(text), "| tool | parameters | result |\n")
	require.True(t, found, "docs/agents.md has no table of tools")
	names := regexp.MustCompile("`([a-z_]+\\??)`")
	namesIn := func(cell string) (all []string) {
		for _, m := range names.FindAllStringSubmatch(cell, -1) {
			all = append(all, m[1])
		}
		return all
	}
	rows := map[string]toolRow{}
	var before []string
	for line := range strings.Lines(table) {
		cells := strings.Split(line, "|")
		if len(cells) != 5 || strings.Contains(line, "---") {
			if len(rows) > 0 {
				break
			}
			continue
		}
		results := namesIn(cells[3])
		switch {
		case strings.Contains(cells[3], "the same"):
			results = slices.Concat(before, results)
		case strings.Contains(cells[3], "these, and"): // those of each of a list
			results = slices.Concat(before[1:], results)
		}
		before = results
		rows[namesIn(cells[1])[0]] = toolRow{namesIn(cells[2]), results}
	}
	return rows
}

// TestDocumentedTools: the table has what is published, and nothing else.
func TestDocumentedTools(t *testing.T) {
	documented := documentedTools(t)
	c := connect(t, overHTTP(t, newServer(t, Options{})))
	tools, err := c.ListTools(testkit.Within(t), nil)
	require.NoError(t, err)
	for _, tool := range tools.Tools {
		row, ok := documented[tool.Name]
		assert.True(t, ok, "%s is not documented", tool.Name)
		delete(documented, tool.Name)
		var params []string
		in := schemaOf(t, tool.InputSchema)
		for name := range in.Properties {
			if !slices.Contains(in.Required, name) {
				name += "?"
			}
			params = append(params, name)
		}
		assert.ElementsMatch(t, row.params, params, "%s: documented parameters, and published ones", tool.Name)
		var results []string
		for name, p := range schemaOf(t, tool.OutputSchema).Properties {
			results = append(results, name)
			if p.Items != nil {
				for name := range p.Items.Properties {
					results = append(results, name)
				}
			}
		}
		assert.ElementsMatch(t, row.results, results, "%s: documented results, and published ones", tool.Name)
	}
	assert.Empty(t, documented, "tools that are not published")
}

func schemaOf(t testing.TB, published any) *jsonschema.Schema {
	t.Helper()
	text, err := json.Marshal(published)
	require.NoError(t, err)
	var schema jsonschema.Schema
	require.NoError(t, json.Unmarshal(text, &schema))
	return &schema
}
