package screen

import (
	"testing"

	"github.com/fatih/color"
	"github.com/stretchr/testify/assert"

	"github.com/procession-go/procession/internal/cli/console"
)

func TestPrefixesAreAligned(t *testing.T) {
	p := NewPrinter(console.New(), []string{"web", "größe"})
	for name, want := range map[string]string{"web": "web   | ", "größe": "größe | "} {
		assert.Equal(t, want, p.prefix(name, color.FgCyan, false))
	}
	assert.Equal(t, "\x1b[36mweb   |\x1b[0m ", p.prefix("web", color.FgCyan, true))
}
