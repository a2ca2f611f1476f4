package screen

import (
	"bytes"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/charmbracelet/x/ansi"
	"github.com/charmbracelet/x/ansi/parser"

	"github.com/procession-go/procession/internal/escape"
)

// LineMaker makes lines of the output of a process, and passes them on.
type LineMaker interface {
	Write(data []byte) (int, error)
	// Close ends a line whose end has not come.
	Close() error
	// Unshown reports whether there is some of such a line that is to be shown
	// though its end does not come.
	Unshown() bool
	// Show passes that on, as a line.
	Show() error
}

// LineMakerFor makes lines for w. They are as the process has written them; or, for a
// terminal that several processes share, without what would move its cursor or change it.
func LineMakerFor(w *LineWriter, screen bool) LineMaker {
	if screen {
		return newScreenLines(w)
	}
	return w
}

const (
	// maxCells is how long a line is that is not broken.
	maxCells = 16 << 10
	// maxColumn is how far the cursor can be moved, usualColumn where it goes
	// then: further is where programs look for the right margin.
	maxColumn, usualColumn = 500, 79
	// maxCombining is how many bytes of combining characters a cell has at most.
	maxCombining = 64
	// firstRow is that of a cursor which no program has put anywhere.
	firstRow = 1 << 20
)

// screenLines makes lines for a screen that others are on, too, of what is written for
// one that a program has for itself. Colours stay. What moves the cursor in its line
// is resolved, what moves it to another ends the line, and all other control sequences
// are dropped, so that nobody answers them and nothing outlasts the line.
type screenLines struct {
	to     *LineWriter
	parser escape.Parser
	part   []byte // of a character
	cells  []cell
	x, row int // the cursor
	saved  struct{ x, row int }
	style  style
	last   rune // that was printed
	shown  int  // cells, from the first on, that have been shown, in a line
	begun  bool // some of the line was
}

// cell is a place on the line. Behind a wide character are cells without text.
type cell struct{ text, style string }

var blank = cell{text: " "}

func newScreenLines(to *LineWriter) *screenLines {
	l := &screenLines{to: to, row: firstRow}
	l.parser.SetParamsSize(parser.MaxParamsSize)
	l.parser.SetDataSize(1) // what is in strings does not matter
	l.parser.SetHandler(ansi.Handler{Execute: l.control, HandleCsi: l.csi, HandleEsc: l.esc})
	return l
}

// Write passes on the lines that data ends.
func (l *screenLines) Write(data []byte) (int, error) {
	l.take(data)
	return len(data), l.to.flush()
}

func (l *screenLines) take(data []byte) {
	data = l.withPart(data)
	for len(data) > 0 {
		c, size := utf8.DecodeRune(data)
		switch {
		case escape.InString(l.parser.State()), l.parser.State() != parser.GroundState && c < utf8.RuneSelf, c == ansi.ESC:
			l.parser.Take(data[0])
			size = 1
		case l.parser.State() != parser.GroundState:
			l.parser.Reset() // no sequence has that in it
			continue
		case c < ' ':
			l.control(data[0])
		case c == utf8.RuneError && !utf8.FullRune(data):
			l.part = bytes.Clone(data)
			return
		case c >= 0x7f && c < 0xa0: // DEL, and control characters
		default:
			l.print(c)
		}
		data = data[size:]
		if text := l.parser.Text(); text != nil {
			l.take(text)
			data = l.withPart(data)
		}
	}
}

// withPart is data behind the part of a character that came before.
func (l *screenLines) withPart(data []byte) []byte {
	if len(l.part) > 0 {
		data = append(l.part, data...)
		l.part = nil
	}
	return data
}

// Close ends a line whose end has not come. What comes next is of another program.
func (l *screenLines) Close() error {
	if len(l.part) > 0 {
		l.print(utf8.RuneError)
	}
	l.breakLine()
	*l = *newScreenLines(l.to)
	return l.to.flush()
}

// Unshown reports whether there is some of the line that was not shown.
func (l *screenLines) Unshown() bool { return len(l.cells) > l.shown }

// Show passes on, as a line, what was not shown.
func (l *screenLines) Show() error {
	if l.Unshown() {
		l.emit()
		l.shown, l.begun = len(l.cells), true
	}
	return l.to.flush()
}

// endLine passes the line on; nothing, if all of it has been shown.
func (l *screenLines) endLine() {
	if l.Unshown() || !l.begun {
		l.emit()
	}
	l.cells, l.x, l.shown, l.begun = l.cells[:0], 0, 0, false
}

// breakLine ends the line if there is one.
func (l *screenLines) breakLine() {
	if len(l.cells) > 0 || l.begun {
		l.endLine()
	}
}

// emit passes on what has not been shown. A line begins and ends without a style.
func (l *screenLines) emit() {
	var b strings.Builder
	now := ""
	for _, c := range l.cells[l.shown:] {
		if c.style != now {
			b.WriteString(turn(now, c.style))
			now = c.style
		}
		b.WriteString(c.text)
	}
	b.WriteString(turn(now, "") + "\n")
	l.to.line([]byte(b.String()))
}

func (l *screenLines) print(c rune) {
	width := ansi.StringWidth(string(c))
	l.last = c
	if width == 0 {
		if x := min(l.x, len(l.cells)) - 1; x >= 0 && len(l.cells[x].text) < maxCombining {
			l.cells[x].text += string(c)
		}
		return
	}
	l.put(string(c), width)
}

// put writes text of a width at the cursor.
func (l *screenLines) put(text string, width int) {
	if l.x >= maxCells {
		l.breakLine()
	}
	for len(l.cells) < l.x {
		l.cells = append(l.cells, blank)
	}
	l.split(l.x)
	l.split(l.x + width)
	style := l.style.String()
	for range width {
		l.set(l.x, cell{text, style})
		l.x++
		text = ""
	}
}

// set makes a cell what it is from now on.
func (l *screenLines) set(x int, c cell) {
	if x == len(l.cells) {
		l.cells = append(l.cells, c)
	} else if l.cells[x] != c {
		l.cells[x] = c
		l.change(x)
	}
}

// split makes blanks of the wide character that a cell is in the midst of.
func (l *screenLines) split(x int) {
	if x >= len(l.cells) || l.cells[x].text != "" {
		return
	}
	for x--; l.cells[x].text == ""; x-- {
	}
	l.set(x, blank)
	for x++; x < len(l.cells) && l.cells[x].text == ""; x++ {
		l.set(x, blank)
	}
}

// change notes that what was shown from x on is not there any more: all of the line is
// to be shown again.
func (l *screenLines) change(x int) {
	if x < l.shown {
		l.shown = 0
	}
}

// erase makes the cells from x to end blank.
func (l *screenLines) erase(x, end int) {
	l.split(x)
	l.split(end)
	if end >= len(l.cells) {
		l.cut(x, end)
		return
	}
	for ; x < end; x++ {
		l.set(x, blank)
	}
}

// cut takes the cells from x to end out of the line.
func (l *screenLines) cut(x, end int) {
	if x < len(l.cells) {
		l.cells = slices.Delete(l.cells, x, min(end, len(l.cells)))
		l.change(x)
	}
}

func (l *screenLines) control(c byte) {
	switch c {
	case '\n', '\v', '\f':
		l.endLine()
		l.row++
	case '\r':
		l.x = 0
	case '\b':
		l.x = max(l.x-1, 0)
	case '\t':
		if next := (l.x/8 + 1) * 8; l.x >= len(l.cells) {
			l.put("\t", next-l.x)
		} else {
			l.x = next
		}
	}
}

// goTo moves the cursor.
func (l *screenLines) goTo(row, x int) {
	if row != l.row {
		l.breakLine()
		l.row = row
	}
	if x >= maxColumn && x > l.x {
		x = max(usualColumn, l.x)
	}
	l.x = max(x, 0)
}

func (l *screenLines) esc(cmd ansi.Cmd) {
	if cmd.Intermediate() != 0 {
		return
	}
	switch cmd.Final() {
	case 'D':
		l.goTo(l.row+1, l.x)
	case 'E':
		l.goTo(l.row+1, 0)
	case 'M':
		l.goTo(l.row-1, l.x)
	case '7':
		l.saved.row, l.saved.x = l.row, l.x
	case '8':
		l.goTo(l.saved.row, l.saved.x)
	case 'c':
		l.style = style{}
		l.goTo(1, 0)
	}
}

// csi is a control sequence (https://invisible-island.net/xterm/ctlseqs/ctlseqs.html,
// "Functions using CSI").
func (l *screenLines) csi(cmd ansi.Cmd, params ansi.Params) {
	param := func(i, missing int) int { n, _, _ := params.Param(i, missing); return n }
	final := cmd.Final()
	switch {
	case cmd.Prefix() == '?' && (final == 'h' || final == 'l'):
		switch param(0, 0) {
		case 47, 1047, 1049: // another screen
			l.breakLine()
			l.row = firstRow
		}
		return
	case cmd.Prefix() == '?' && (final == 'J' || final == 'K'): // selective erase
	case cmd.Prefix() != 0 || cmd.Intermediate() != 0:
		return
	}
	n := max(param(0, 1), 1)
	switch final {
	case 'm':
		l.style.sgr(params)
	case 'A':
		l.goTo(l.row-n, l.x)
	case 'F':
		l.goTo(l.row-n, 0)
	case 'B', 'e':
		l.goTo(l.row+n, l.x)
	case 'E':
		l.goTo(l.row+n, 0)
	case 'C', 'a':
		l.goTo(l.row, l.x+n)
	case 'D':
		l.goTo(l.row, l.x-n)
	case 'G', '`':
		l.goTo(l.row, n-1)
	case 'H', 'f':
		l.goTo(n, max(param(1, 1), 1)-1)
	case 'd':
		l.goTo(n, l.x)
	case 's':
		l.saved.row, l.saved.x = l.row, l.x
	case 'u':
		l.goTo(l.saved.row, l.saved.x)
	case 'J', 'K':
		l.eraseTo(param(0, 0), final == 'J')
	case 'X':
		l.erase(l.x, l.x+n)
	case 'P':
		l.split(l.x)
		l.split(l.x + n)
		l.cut(l.x, l.x+n)
	case '@':
		l.insert(min(n, maxCells-min(len(l.cells), maxCells)))
	case 'b':
		for range min(n, maxColumn) {
			if l.last != 0 {
				l.print(l.last)
			}
		}
	}
}

// eraseTo erases the rest of the line, its beginning, or all of it. Of a screen the
// line stays that has been written last.
func (l *screenLines) eraseTo(what int, screen bool) {
	switch {
	case what == 0:
		l.erase(l.x, len(l.cells))
	case what == 1:
		l.erase(0, min(l.x+1, len(l.cells)))
	case screen:
		l.breakLine()
	case what == 2:
		l.erase(0, len(l.cells))
	}
}

func (l *screenLines) insert(n int) {
	if l.x < len(l.cells) {
		l.split(l.x)
		l.cells = slices.Insert(l.cells, l.x, slices.Repeat([]cell{blank}, n)...)
		l.change(l.x)
	}
}
