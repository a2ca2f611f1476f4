package plaintext

import (
	"unicode/utf8"

	"github.com/charmbracelet/x/ansi"
	"github.com/charmbracelet/x/ansi/parser"

	"github.com/procession-go/procession/internal/escape"
)

// Renderer is [String] for a stream. It is fed with [Renderer.Write], in pieces
// split anywhere. [Renderer.Lines] takes what can no longer change, and
// [Renderer.Rest] shows what still can; one after the other they are what String
// makes of the whole.
//
// The zero value is ready. A Renderer must not be used by several goroutines at
// once, nor be copied after its first use.
type Renderer struct {
	// Rows is the height of the terminal that the output is meant for, and with
	// it the number of last lines that can still change. With 1 each line is
	// finished once it ends. 0 is for an unknown height: the last 100 lines can
	// change, and the terminal counts as 24 rows high, or as high as the output
	// gives away. It may be set before the first Write.
	Rows int

	started bool
	parser  escape.Parser
	partial []byte // the beginning of a character
	last    rune   // for REP
	charset charset

	main, alt screen
	screen    *screen // one of the two
	done      []byte  // finished lines
}

const (
	// The screen of a VT100, which pseudo-terminals and programs fall back to.
	usualRows, usualCols = 24, 80

	// Lines that can change while the terminal's height is not known.
	unknownRows = 100

	// Columns from here on are beyond any terminal's width.
	maxCols = 500
)

func (r *Renderer) start() {
	r.started = true
	r.main.init(r.Rows, &r.done)
	r.screen = &r.main
	r.parser.SetParamsSize(16)
	r.parser.SetDataSize(1) // contents of strings are not looked at; 0 would keep them all
	r.parser.SetHandler(ansi.Handler{Execute: r.execute, HandleCsi: r.csi, HandleEsc: r.esc})
}

// Write takes the next piece of output. It returns len(p) and no error.
func (r *Renderer) Write(p []byte) (int, error) {
	r.write(p)
	return len(p), nil
}

// Lines takes the lines that were finished since the last call, each with its
// newline. They are kept until they are taken.
func (r *Renderer) Lines() string {
	s := string(r.done)
	if r.done = r.done[:0]; cap(r.done) > maxSpare {
		r.done = nil
	}
	return s
}

// Rest returns the lines that may still change, without a newline after the
// last. An unfinished escape sequence is not shown, an unfinished character is
// U+FFFD for each byte of it.
func (r *Renderer) Rest() string {
	return string(r.appendRest(nil))
}

func (r *Renderer) appendRest(dst []byte) []byte {
	if !r.started {
		return dst
	}
	if len(r.partial) > 0 {
		defer r.screen.preview()()
		for range r.partial {
			r.screen.print(utf8.RuneError)
		}
	}
	start := len(dst)
	dst = r.main.appendText(dst)
	if r.screen == &r.alt {
		if n := len(dst); n > start && dst[n-1] != '\n' {
			dst = append(dst, '\n')
		}
		dst = r.alt.appendText(dst)
	}
	return dst
}

// write gives text to the screen and everything else to the parser. The parser
// never sees a byte beyond ASCII: it joins the bytes of a character without
// looking at them, and takes one of them for the end of a string (ST is 9C, as
// is the middle of "✓").
func (r *Renderer) write(p []byte) {
	if !r.started {
		r.start()
	}
	p = r.complete(p)
	for len(p) > 0 {
		if p[0] >= utf8.RuneSelf && !utf8.FullRune(p) && !escape.InString(r.parser.State()) {
			r.parser.Reset()
			r.partial = append(r.partial, p...)
			return
		}
		p = p[r.next(p):]
		if text := r.parser.Text(); text != nil {
			r.write(text)
			p = r.complete(p)
		}
	}
}

// complete deals with the character that has begun, and returns what follows it.
func (r *Renderer) complete(p []byte) []byte {
	for len(r.partial) > 0 && len(p) > 0 {
		r.partial, p = append(r.partial, p[0]), p[1:]
		for len(r.partial) > 0 && utf8.FullRune(r.partial) {
			// What is left may be ASCII or a control: all of it starts over.
			n := r.next(r.partial)
			r.partial = r.partial[:copy(r.partial, r.partial[n:])]
		}
	}
	return p
}

// next deals with what p begins with and returns its length.
func (r *Renderer) next(p []byte) int {
	c := p[0]
	switch {
	case r.parser.State() != parser.GroundState:
		if c < utf8.RuneSelf || escape.InString(r.parser.State()) {
			r.parser.Take(c)
			return 1
		}
		r.parser.Reset() // the sequence is broken, the character is not
		return r.rune(p)
	case c >= utf8.RuneSelf:
		return r.rune(p)
	case class[c] == text:
		n := 1
		for n < len(p) && p[n] < utf8.RuneSelf && class[p[n]] == text {
			n++
		}
		r.ascii(p[:n])
		return n
	case c == ansi.ESC:
		r.parser.Take(c)
		return 1
	}
	r.execute(c)
	return 1
}

func (r *Renderer) ascii(p []byte) {
	r.last = rune(p[len(p)-1])
	if !r.charset.graphic() {
		r.screen.printASCII(p)
		return
	}
	for _, c := range p {
		r.screen.print(graphics(c))
	}
	r.last = graphics(p[len(p)-1])
}

func (r *Renderer) rune(p []byte) int {
	c, n := utf8.DecodeRune(p)
	if c < 0xa0 {
		r.c1(byte(c))
		return n
	}
	r.last = c
	r.screen.print(c)
	return n
}
