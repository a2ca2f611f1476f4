// Package escape extends the parser of terminal control sequences for programs that
// feed it output: it knows which bytes belong to a control string, and which of
// them are text after all.
package escape

import (
	"unicode/utf8"

	"github.com/charmbracelet/x/ansi"
	"github.com/charmbracelet/x/ansi/parser"
)

// Longest is how long a control string (OSC, DCS, SOS, PM, APC, the title of ESC k)
// may be, in bytes behind its ESC and before its terminator. One that is longer, or
// has a newline in it, has lost its terminator: it is text, without the ESC.
const Longest = 4 << 10

// InString reports whether text belongs to a control string, such as a title, in
// that state. The parser must not see non-ASCII characters there, because it would
// take one of their bytes for the end.
func InString(s parser.State) bool {
	switch s {
	case parser.DcsEntryState, parser.DcsParamState, parser.DcsIntermediateState, parser.DcsStringState,
		parser.OscStringState, parser.SosStringState, parser.PmStringState, parser.ApcStringState:
		return true
	}
	return false
}

// IsText reports whether a control string of n bytes, of which c is the last, is
// text.
func IsText(c byte, n int) bool { return c == '\n' || n > Longest }

// Next returns the state after c, which is ASCII, or any byte of a string.
func Next(s parser.State, c byte) parser.State {
	if c < utf8.RuneSelf {
		s, _ = parser.Table.Transition(known(s, c))
	}
	return s
}

// known returns the state and the byte that the parser must see. ESC k, a window's title
// (screen(1), tmux(1)), begins a string as ESC X does, and ESC ends every string, also
// one that has just begun.
func known(s parser.State, c byte) (parser.State, byte) {
	switch {
	case s == parser.EscapeState && c == 'k':
		return s, 'X'
	case s == parser.DcsEntryState && c == ansi.ESC:
		return parser.GroundState, c
	}
	return s, c
}

// Parser is the parser of control sequences. It also holds a control string as long
// as that may turn out to be text.
type Parser struct {
	ansi.Parser
	held []byte
	text []byte
}

// Take takes ESC, or the next byte of the sequence that the parser is in. Inside a
// control string that is any byte, otherwise ASCII.
func (p *Parser) Take(c byte) {
	if c < utf8.RuneSelf {
		before, c := known(p.State(), c)
		if before != p.State() {
			p.Reset()
		}
		p.Advance(c)
	}
	if !InString(p.State()) {
		p.held = p.held[:0]
		return
	}
	if p.held = append(p.held, c); IsText(c, len(p.held)) {
		p.text, p.held = p.held, nil
		p.Reset()
	}
}

// Text returns the bytes that the last byte has turned into text, nil if there are none.
// The caller must handle them as text before anything else.
func (p *Parser) Text() []byte {
	text := p.text
	p.text = nil
	return text
}
