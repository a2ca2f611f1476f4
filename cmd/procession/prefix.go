package main

import (
	"bytes"
	"io"
	"strings"
	"sync"
	"unicode/utf8"

	"github.com/fatih/color"

	"github.com/procession-go/procession"
)

// printer passes on the output of several processes line by line, each line
// after the name of its process, so that no line of one has another's in it.
type printer struct {
	console *console
	width   int // of the longest name, in characters

	mu  sync.Mutex  // one writes to stderr at a time
	out *sync.Mutex // one writes to stdout at a time; it is mu if they are the same file

	next int // colour
}

func newPrinter(c *console, names []string) *printer {
	p := &printer{console: c}
	if p.out = &p.mu; !c.together() {
		p.out = new(sync.Mutex)
	}
	for _, name := range names {
		p.width = max(p.width, utf8.RuneCountInString(name))
	}
	return p
}

// print passes on the output of m to out and errs until it has ended.
func (f *fleet) print(m *member, out, errs *lineWriter) error {
	err := f.follow(m, func(s procession.Segment) error {
		w := out
		if s.Stream == procession.Stderr {
			w = errs
		}
		_, err := w.Write(s.Data)
		return err
	})
	if err != nil {
		return err
	}
	if err := out.Close(); err != nil {
		return err
	}
	return errs.Close()
}

// streams are where the two streams of the process of that name go. Each call gives
// the next colour.
func (p *printer) streams(name string) (out, errs *lineWriter) {
	attribute := colours[p.next%len(colours)]
	p.next++
	out = &lineWriter{mu: p.out, to: p.console.stdout, prefix: p.prefix(name, attribute, coloured(p.console.stdout))}
	errs = &lineWriter{mu: &p.mu, to: p.console.stderr, prefix: p.prefix(name, attribute, coloured(p.console.stderr))}
	return out, errs
}

// colours are those of the names. Red is for what is wrong.
var colours = []color.Attribute{
	color.FgCyan, color.FgYellow, color.FgGreen, color.FgMagenta, color.FgBlue,
	color.FgHiCyan, color.FgHiYellow, color.FgHiGreen, color.FgHiMagenta, color.FgHiBlue,
}

func (p *printer) prefix(name string, attribute color.Attribute, inColour bool) string {
	return paint(attribute, inColour, name+strings.Repeat(" ", p.width-utf8.RuneCountInString(name))+" |") + " "
}

// paint is text in a colour.
func paint(attribute color.Attribute, inColour bool, text string) string {
	painter := color.New(attribute)
	if inColour {
		painter.EnableColor()
	} else {
		painter.DisableColor()
	}
	return painter.Sprint(text)
}

// maxLine is how many bytes of a line whose end does not come are kept. It goes
// on in a line of its own then.
const maxLine = 64 << 10

// lineWriter writes whole lines, each after a prefix. Several may share a mutex,
// and write to the same place.
type lineWriter struct {
	mu     *sync.Mutex
	to     io.Writer
	prefix string
	begun  []byte // of a line whose end has not come
	ready  []byte // lines to be written, with their prefixes
}

// Write passes on the lines that data ends, in one piece.
func (w *lineWriter) Write(data []byte) (int, error) {
	for rest := data; len(rest) > 0; {
		end := bytes.IndexByte(rest, '\n') + 1
		if end == 0 {
			w.begin(rest)
			break
		}
		w.line(rest[:end])
		rest = rest[end:]
	}
	if err := w.flush(); err != nil {
		return 0, err
	}
	return len(data), nil
}

// Close ends a line whose end has not come.
func (w *lineWriter) Close() error {
	if len(w.begun) > 0 {
		w.line([]byte("\n"))
	}
	return w.flush()
}

// line adds a line, or the end of the one that has begun.
func (w *lineWriter) line(end []byte) {
	w.begun = append(w.begun, end...)
	w.ready = append(append(w.ready, w.prefix...), w.anew()...)
	w.begun = w.begun[:0]
}

// anew is what has begun from its last carriage return on, which would bring the rest
// to where the prefix is.
func (w *lineWriter) anew() []byte {
	if w.prefix == "" {
		return w.begun
	}
	return w.begun[bytes.LastIndexByte(bytes.TrimRight(w.begun, "\r\n"), '\r')+1:]
}

// unshown is false: lines wait for their ends.
func (w *lineWriter) unshown() bool { return false }

func (w *lineWriter) show() error { return nil }

// begin keeps the beginning of a line until its end comes.
func (w *lineWriter) begin(text []byte) {
	w.begun = append(w.begun, text...)
	w.begun = append(w.begun[:0], w.anew()...)
	for len(w.begun) > maxLine {
		cut := maxLine
		for cut > maxLine-utf8.UTFMax && !utf8.RuneStart(w.begun[cut]) {
			cut--
		}
		rest := bytes.Clone(w.begun[cut:])
		w.begun = w.begun[:cut]
		w.line([]byte("\n"))
		w.begun = append(w.begun, rest...)
	}
}

func (w *lineWriter) flush() error {
	if len(w.ready) == 0 {
		return nil
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	_, err := w.to.Write(w.ready)
	w.ready = w.ready[:0]
	return err
}
