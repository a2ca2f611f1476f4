package acpterm_test

import (
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// The Go code that docs/agents.md shows is the code of the example.
func TestDocsShowTheExample(t *testing.T) {
	docs, err := os.ReadFile("../../docs/agents.md")
	require.NoError(t, err)
	example, err := os.ReadFile("example_test.go")
	require.NoError(t, err)
	_, section, found := strings.Cut(string(docs), "\n## ACP terminals\n")
	require.True(t, found, "docs/agents.md has no section on ACP terminals")
	section, _, _ = strings.Cut(section, "\n## ")
	blocks := strings.Split(section, "```go\n")[1:]
	assert.NotEmpty(t, blocks, "the section shows no code")
	for _, block := range blocks {
		code, _, _ := strings.Cut(block, "```")
		assert.True(t, strings.Contains(string(example), code), "this is not in example_test.go:\n%s", code)
	}
}
