package acpterm_test

import (
	"os"
	"strings"
	"testing"
)

// The Go code that docs/agents.md shows is the code of the example.
func TestDocsShowTheExample(t *testing.T) {
	docs := string(must(os.ReadFile("../../docs/agents.md"))(t))
	example := string(must(os.ReadFile("example_test.go"))(t))
	_, section, found := strings.Cut(docs, "\n## ACP terminals\n")
	if !found {
		t.Fatal("docs/agents.md has no section on ACP terminals")
	}
	section, _, _ = strings.Cut(section, "\n## ")
	blocks := strings.Split(section, "```go\n")[1:]
	if len(blocks) == 0 {
		t.Error("the section shows no code")
	}
	for _, block := range blocks {
		code, _, _ := strings.Cut(block, "```")
		if !strings.Contains(example, code) {
			t.Errorf("this is not in example_test.go:\n%s", code)
		}
	}
}
