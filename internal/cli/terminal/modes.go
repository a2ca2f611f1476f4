package terminal

import (
	"bytes"
	"unicode/utf8"

	"github.com/charmbracelet/x/ansi"
	"github.com/charmbracelet/x/ansi/parser"

	"github.com/procession-go/procession/internal/escape"
)

// modes notes from the output of a program in which modes it has put the terminal
// that outlive it: the alternate screen, a hidden cursor, mouse reports and so on
// (https://invisible-island.net/xterm/ctlseqs/ctlseqs.html). A program that is
// killed leaves them on. A control string without an end goes on here, as it does in
// a terminal.
type modes struct {
	parser  ansi.Parser
	started bool
	now     modeSet // after what has been noted
	during  modeSet // at any moment of the last piece
}

// note takes the next piece of output.
func (m *modes) note(data []byte) {
	m.during = m.now
	if !m.started {
		m.started = true
		m.parser.SetParamsSize(parser.MaxParamsSize)
		m.parser.SetDataSize(1) // what is in strings does not matter
		m.parser.SetHandler(ansi.Handler{Execute: m.control, HandleCsi: m.csi, HandleEsc: m.esc})
	}
	for len(data) > 0 {
		if m.parser.State() == parser.GroundState {
			next := bytes.IndexAny(data, "\x1b\x0e\x0f") // the rest is text
			if next < 0 {
				break
			}
			data = data[next:]
		}
		if data[0] < utf8.RuneSelf {
			m.parser.Advance(data[0])
		} else if !escape.InString(m.parser.State()) {
			m.parser.Reset() // no sequence has that in it
		}
		data = data[1:]
	}
	m.now.unfinished = m.parser.State() != parser.GroundState
	m.changed()
}

// changed adds what holds now to what held during the piece.
func (m *modes) changed() {
	d, n := &m.during, &m.now
	d.private |= n.private
	d.other |= n.other
	d.unfinished = d.unfinished || n.unfinished
	for i := range d.pushed {
		d.pushed[i] = max(d.pushed[i], n.pushed[i])
	}
}

func (m *modes) turn(bits uint32, on bool) {
	if m.now.other &^= bits; on {
		m.now.other |= bits
	}
	m.changed()
}

func (m *modes) control(b byte) {
	if b == ansi.SO || b == ansi.SI {
		m.turn(shifted, b == ansi.SO)
	}
}

func (m *modes) esc(cmd ansi.Cmd) {
	switch {
	case cmd.Intermediate() == '(':
		m.turn(lineDrawing, cmd.Final() != 'B')
	case cmd.Intermediate() != 0:
	case cmd.Final() == '=', cmd.Final() == '>':
		m.turn(keypad, cmd.Final() == '=')
	case cmd.Final() == 'c': // everything is reset
		m.now = modeSet{}
	}
}

func (m *modes) csi(cmd ansi.Cmd, params ansi.Params) {
	param := func(i, missing int) int { n, _, _ := params.Param(i, missing); return n }
	switch [3]byte{cmd.Prefix(), cmd.Intermediate(), cmd.Final()} {
	case [3]byte{'?', 0, 'h'}, [3]byte{'?', 0, 'l'}:
		for i := range params {
			m.setPrivate(param(i, 0), cmd.Final() == 'h')
		}
	case [3]byte{0, 0, 'h'}, [3]byte{0, 0, 'l'}:
		if param(0, 0) == 4 {
			m.turn(insert, cmd.Final() == 'h')
		}
	case [3]byte{0, 0, 'm'}:
		m.turn(look, isPainted(m.now.other&look != 0, params))
	case [3]byte{'>', 0, 'm'}:
		if resource := param(0, 4); resource == 4 {
			m.turn(modifiedKeys, param(1, 0) != 0)
		}
	case [3]byte{0, 0, 'r'}:
		m.turn(margins, param(0, 1) > 1 || param(1, 0) > 0)
	case [3]byte{0, ' ', 'q'}:
		m.turn(cursorShape, param(0, 0) != 0)
	case [3]byte{'=', 0, 'u'}:
		m.turn(keyboard, param(0, 0) != 0)
	case [3]byte{'>', 0, 'u'}:
		m.push(1)
	case [3]byte{'<', 0, 'u'}:
		m.push(-max(param(0, 1), 1))
	case [3]byte{0, '!', 'p'}:
		m.now.private &^= softResetModes
		m.turn(softReset, false)
	}
}

func (m *modes) setPrivate(number int, set bool) {
	if number == 66 {
		m.turn(keypad, set)
		return
	}
	for i, mode := range privateModes {
		if mode.number == number {
			if m.now.private &^= 1 << i; set != mode.set {
				m.now.private |= 1 << i
			}
			m.changed()
		}
	}
}

// push notes that n keyboard modes more are on the stack of the screen that is on.
func (m *modes) push(n int) {
	stack := &m.now.pushed[m.now.screen()]
	*stack = uint8(min(max(int(*stack)+n, 0), 255))
	m.changed()
}

// isPainted reports whether text looks different from plain text after CSI … m.
func isPainted(painted bool, params ansi.Params) bool {
	if len(params) == 0 {
		return false
	}
	for i := 0; i < len(params); i++ {
		code, more, _ := params.Param(i, 0)
		switch {
		case code == 0:
			painted = false
		case code >= 22 && code <= 29, code == 39, code == 49, code == 59: // one of it ends; others may not
		case (code == 38 || code == 48 || code == 58) && !more: // a colour, by its number or by red, green and blue
			painted = true
			switch kind, _, _ := params.Param(i+1, 0); kind {
			case 5:
				i += 2
			case 2:
				i += 4
			}
		default:
			painted = true
		}
		for more { // what is after a colon belongs to it
			i++
			_, more, _ = params.Param(i, 0)
		}
	}
	return painted
}
