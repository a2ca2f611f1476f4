package poolfile

import (
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

const reference = "../../docs/poolfile.md"

// The page documents the keys that the parser knows, and no others.
func TestTheReferenceHasEveryKeyOfTheParser(t *testing.T) {
	page, err := os.ReadFile(reference)
	require.NoError(t, err)
	var documented []string
	for _, row := range regexp.MustCompile("(?m)^\\| `([a-z_.]+)` \\|").FindAllStringSubmatch(string(page), -1) {
		documented = append(documented, row[1])
	}
	known := append(knownKeys(t), "processes", "name") // which reader.pool and reader.processList look for
	assert.ElementsMatch(t, known, documented, "the parser's keys, and those of "+reference)
}

// The example of the page is read without a complaint, and has every key of a process.
func TestTheReferenceHasAnExample(t *testing.T) {
	page, err := os.ReadFile(reference)
	require.NoError(t, err)
	_, rest, found := strings.Cut(string(page), "```yaml\n")
	require.True(t, found, "the page has an example")
	example, _, _ := strings.Cut(rest, "```")
	read := func(string) ([]byte, error) { return []byte("A=1\n"), nil }
	pool, err := parseYAML(source{path: "procession.yaml", dir: t.TempDir(), data: []byte(example), read: read, lookup: os.LookupEnv})
	require.NoError(t, err)
	assert.Len(t, pool.Processes, 4)
	assert.Empty(t, pool.Warnings)
	for _, key := range knownKeys(t) {
		key = key[strings.LastIndex(key, ".")+1:]
		assert.Regexp(t, `(?m)(^\s*|[{ ])`+key+`:`, example)
	}
}

// knownKeys are the keys that the parser knows, those of a mapping inside a process after
// its name and a dot. They are read in the source: they are those of the tables that are
// passed to reader.fields.
func knownKeys(t *testing.T) (keys []string) {
	// The functions that pass a table, with what its keys begin with.
	inside := map[string]string{"process": "", "restart": "restart.", "probe": "ready.", "terminal": "pty."}
	entries, err := os.ReadDir(".")
	require.NoError(t, err)
	for _, e := range entries {
		if !strings.HasSuffix(e.Name(), ".go") || strings.HasSuffix(e.Name(), "_test.go") {
			continue
		}
		file, err := parser.ParseFile(token.NewFileSet(), e.Name(), nil, 0)
		require.NoError(t, err)
		for _, declaration := range file.Decls {
			function, is := declaration.(*ast.FuncDecl)
			if !is {
				continue
			}
			ast.Inspect(function, func(n ast.Node) bool {
				call, is := n.(*ast.CallExpr)
				if !is {
					return true
				}
				if called, is := call.Fun.(*ast.SelectorExpr); !is || called.Sel.Name != "fields" {
					return true
				}
				prefix, known := inside[function.Name.Name]
				require.True(t, known, "%s reads a mapping that this test does not know", function.Name.Name)
				for _, element := range call.Args[2].(*ast.CompositeLit).Elts {
					key, err := strconv.Unquote(element.(*ast.KeyValueExpr).Key.(*ast.BasicLit).Value)
					require.NoError(t, err)
					keys = append(keys, prefix+key)
				}
				return true
			})
		}
	}
	require.NotEmpty(t, keys)
	return keys
}
