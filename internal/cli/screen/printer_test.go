package screen

import (
	"testing"

	"github.com/fatih/color"

	"github.com/procession-go/procession/internal/cli/console"
)

func TestPrefixesAreAligned(t *testing.T) {
	p := NewPrinter(console.New(), []string{"web", "größe"})
	for name, want := range map[string]string{"web": "web   | ", "größe": "größe | "} {
		if got := p.prefix(name, color.FgCyan, false); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
	if got, want := p.prefix("web", color.FgCyan, true), "\x1b[36mweb   |\x1b[0m "; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}
