// Package screen shows the output of several processes on one screen, line by line. It also
// has what else is shown there: tables, colours, and texts for sizes and durations.
package screen

import (
	"strings"
	"sync"
	"unicode/utf8"

	"github.com/fatih/color"

	"github.com/procession-go/procession/internal/cli/console"
)

// Printer writes the output of several processes line by line, each line after the name of
// its process. Lines are never mixed.
type Printer struct {
	console *console.Console
	width   int // of the longest name, in characters

	mu  sync.Mutex  // one writes to stderr at a time
	out *sync.Mutex // one writes to stdout at a time; it is mu if they are the same file

	next int // colour
}

// NewPrinter makes a printer for processes of these names.
func NewPrinter(c *console.Console, names []string) *Printer {
	p := &Printer{console: c}
	if p.out = &p.mu; !c.Together() {
		p.out = new(sync.Mutex)
	}
	for _, name := range names {
		p.width = max(p.width, utf8.RuneCountInString(name))
	}
	return p
}

// Streams makes the writers for the two streams of the process of that name. Each call uses
// the next colour.
func (p *Printer) Streams(name string) (out, errs *LineWriter) {
	attribute := colours[p.next%len(colours)]
	p.next++
	out = &LineWriter{mu: p.out, to: p.console.Stdout, prefix: p.prefix(name, attribute, p.console.Stdout.Coloured())}
	errs = &LineWriter{mu: &p.mu, to: p.console.Stderr, prefix: p.prefix(name, attribute, p.console.Stderr.Coloured())}
	return out, errs
}

// System makes the writer for what procession itself says, which stands after name.
func (p *Printer) System(name string) *LineWriter {
	return &LineWriter{mu: &p.mu, to: p.console.Stderr, prefix: p.prefix(name, color.Bold, p.console.Stderr.Coloured())}
}

// colours are those of the names. Red is for what is wrong.
var colours = []color.Attribute{
	color.FgCyan, color.FgYellow, color.FgGreen, color.FgMagenta, color.FgBlue,
	color.FgHiCyan, color.FgHiYellow, color.FgHiGreen, color.FgHiMagenta, color.FgHiBlue,
}

func (p *Printer) prefix(name string, attribute color.Attribute, inColour bool) string {
	return Paint(attribute, inColour, name+strings.Repeat(" ", p.width-utf8.RuneCountInString(name))+" |") + " "
}
