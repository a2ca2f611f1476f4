package plaintext

import "github.com/charmbracelet/x/ansi"

// execute does what a control character does (ECMA-48 8.3, console_codes(4)
// "Linux console controls").
func (r *Renderer) execute(c byte) {
	s := r.screen
	switch c {
	case '\b':
		s.left(1)
	case '\t':
		s.tab()
	case '\n', '\v', '\f':
		s.lineFeed()
	case '\r':
		s.x = 0
	case ansi.SO:
		r.charset.g1 = true
	case ansi.SI:
		r.charset.g1 = false
	}
}

// c1 is a control character beyond ASCII: ESC and a letter in one.
func (r *Renderer) c1(c byte) {
	switch c {
	case ansi.CSI:
		r.parser.Advance(c)
	case ansi.DCS, ansi.SOS, ansi.OSC, ansi.PM, ansi.APC: // see Decisions
	default:
		r.esc(ansi.Cmd(c - 0x40))
	}
}

// esc is a sequence of ESC and a letter (ctlseqs, "C1 (8-Bit) Control
// Characters" and "VT100 Mode").
func (r *Renderer) esc(cmd ansi.Cmd) {
	s, final := r.screen, cmd.Final()
	switch cmd.Intermediate() {
	case 0:
	case '(':
		r.charset.graphics[0] = final == '0'
		return
	case ')':
		r.charset.graphics[1] = final == '0'
		return
	default:
		return
	}
	switch final {
	case '7':
		s.save()
	case '8':
		s.restore()
	case 'D':
		s.index()
	case 'E':
		s.lineFeed()
	case 'M':
		s.reverseIndex()
	case 'c': // RIS
		r.screen, r.charset = &r.main, charset{}
		r.main.margins(0, 0)
		r.main.erase(2)
	}
}

// csi is a control sequence (ctlseqs, "Functions using CSI").
func (r *Renderer) csi(cmd ansi.Cmd, params ansi.Params) {
	s := r.screen
	param := func(i, missing int) int {
		n, _, _ := params.Param(i, missing)
		return n
	}
	final := cmd.Final()
	switch {
	case cmd.Prefix() == '?' && (final == 'h' || final == 'l'):
		for i := range params {
			r.mode(param(i, 0), final == 'h')
		}
		return
	case cmd.Prefix() == '?' && (final == 'J' || final == 'K'): // selective erase
	case cmd.Prefix() == 0 && cmd.Intermediate() == '!' && final == 'p': // DECSTR
		s.limits(0, 0)
		r.charset = charset{}
		return
	case cmd.Prefix() != 0 || cmd.Intermediate() != 0:
		return
	}
	n := max(1, param(0, 1))
	switch final {
	case '@':
		s.insertCells(n)
	case 'A':
		s.up(n)
	case 'B', 'e':
		s.down(n)
	case 'C', 'a':
		s.right(n)
	case 'D':
		s.left(n)
	case 'E':
		s.down(n)
		s.x = 0
	case 'F':
		s.up(n)
		s.x = 0
	case 'G', '`':
		s.column(n - 1)
	case 'H', 'f':
		s.row(n - 1)
		s.column(max(1, param(1, 1)) - 1)
	case 'I':
		s.forwardTabs(n)
	case 'J':
		s.erase(param(0, 0))
	case 'K':
		s.eraseInLine(param(0, 0))
	case 'L':
		s.insertLines(n)
	case 'M':
		s.deleteLines(n)
	case 'P':
		s.deleteCells(n)
	case 'S':
		s.scrollUp(n)
	case 'T':
		if len(params) < 2 { // with five it tracks the mouse
			s.scrollDown(n)
		}
	case 'X':
		s.eraseCells(n)
	case 'Z':
		s.backTabs(n)
	case 'b':
		for range min(n, maxCols-s.col()) {
			if r.last != 0 {
				s.print(r.last)
			}
		}
	case 'd':
		s.row(n - 1)
	case 'r':
		s.margins(param(0, 0), param(1, 0))
	case 's':
		s.save()
	case 'u':
		s.restore()
	}
}

// mode switches between the screens (ctlseqs, "DEC Private Mode Set").
func (r *Renderer) mode(n int, on bool) {
	switch n {
	case 47, 1047, 1049:
		switch {
		case on && r.screen == &r.main:
			if n == 1049 {
				r.main.save()
			}
			r.alt.init(r.Rows, nil)
			r.screen = &r.alt
		case !on && r.screen == &r.alt:
			r.screen = &r.main
			r.alt = screen{}
			if n == 1049 {
				r.main.restore()
			}
		}
	case 1048:
		if on {
			r.screen.save()
		} else {
			r.screen.restore()
		}
	}
}
