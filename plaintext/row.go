package plaintext

import (
	"bytes"
	"slices"
	"unicode/utf8"

	"github.com/charmbracelet/x/ansi"
)

// row is one line. As long as it is only appended to, or is ASCII, it is text;
// from the first time that something else in it is overwritten, it is cells.
type row struct {
	live bool // text or a line feed reached it

	// As text. A zero byte is a blank: a cell that nothing was written into.
	buf      []byte
	wide     bool // there is more than one-cell ASCII and blanks: characters, tabs
	blanks   bool // there may be blanks
	measured int  // bytes of buf that width is of, if wide
	width    int

	// As cells. A blank is 0, the further cells of a wide character or tab are tail.
	celled    bool
	cells     []rune
	combining map[int]string // combining characters by the cell they are on; -1: before the first
}

const (
	tail = rune(-1)

	// Bytes of combining characters on a cell; further ones are dropped.
	maxCombining = 64

	// Bytes of memory that a row out of use keeps.
	maxSpare = 64 << 10
)

func (r *row) reset() {
	live := r.live
	*r = row{buf: r.buf[:0], cells: r.cells[:0], live: live}
	if cap(r.buf) > maxSpare {
		r.buf = nil
	}
	if cap(r.cells) > maxSpare/4 {
		r.cells = nil
	}
}

func (r *row) clone() *row {
	c := *r
	c.buf, c.cells = slices.Clone(r.buf), slices.Clone(r.cells)
	if r.combining != nil {
		c.combining = make(map[int]string, len(r.combining))
		for i, m := range r.combining {
			c.combining[i] = m
		}
	}
	return &c
}

// cols returns the column behind the last cell.
func (r *row) cols() int {
	if r.celled {
		return len(r.cells)
	}
	if !r.wide {
		return len(r.buf)
	}
	for r.measured < len(r.buf) {
		c, n := utf8.DecodeRune(r.buf[r.measured:])
		r.measured += n
		if c == '\t' {
			r.width = nextTab(r.width)
		} else {
			r.width += cellsOf(c)
		}
	}
	return r.width
}

func nextTab(x int) int { return x - x%8 + 8 }

// cellsOf is wcwidth: terminals and the programs that draw on them count cells by
// character, not by grapheme. A blank is one cell.
func cellsOf(c rune) int {
	if c < 0x7f {
		return 1
	}
	var b [utf8.UTFMax]byte
	return ansi.WcWidth.StringWidth(string(utf8.AppendRune(b[:0], c)))
}

// split makes cells of text.
func (r *row) split() {
	if r.celled {
		return
	}
	cells, combining := r.cells[:0], r.combining
	r.celled = true
	for b := r.buf; len(b) > 0; {
		c, n := utf8.DecodeRune(b)
		b = b[n:]
		w := 0
		if c == '\t' {
			w = nextTab(len(cells)) - len(cells)
		} else if w = cellsOf(c); w == 0 {
			r.cells, r.combining = cells, combining
			r.combine(len(cells), c)
			combining = r.combining
			continue
		}
		cells = append(cells, c)
		for range w - 1 {
			cells = append(cells, tail)
		}
	}
	r.cells, r.combining = cells, combining
	r.buf, r.wide, r.blanks, r.measured, r.width = r.buf[:0], false, false, 0, 0
	if cap(r.buf) > maxSpare {
		r.buf = nil
	}
}

// pad adds blanks up to column x.
func (r *row) pad(x int) {
	if r.celled {
		for len(r.cells) < x {
			r.cells = append(r.cells, 0)
		}
		return
	}
	for n := x - r.cols(); n > 0; n-- {
		r.buf = append(r.buf, 0)
		r.blanks = true
	}
}

// set writes c, w cells wide, at column x.
func (r *row) set(x int, c rune, w int) {
	r.pad(x + w)
	r.clear(x, x+w)
	r.cells[x] = c
	for i := x + 1; i < x+w; i++ {
		r.cells[i] = tail
	}
}

// clear makes the cells from a to b blank, and what reaches into them.
func (r *row) clear(a, b int) {
	for a > 0 && r.cells[a] == tail {
		a--
	}
	for b < len(r.cells) && r.cells[b] == tail {
		b++
	}
	clear(r.cells[a:b])
	if r.combining != nil {
		for i := a; i < b; i++ {
			delete(r.combining, i)
		}
	}
}

// combine puts a combining character on what is left of column x.
func (r *row) combine(x int, c rune) {
	r.pad(x)
	for x--; x > 0 && r.cells[x] == tail; x-- {
	}
	if x >= 0 && r.cells[x] == 0 {
		r.cells[x] = ' '
	}
	if r.combining == nil {
		r.combining = make(map[int]string)
	}
	if m := r.combining[x]; len(m) < maxCombining {
		r.combining[x] = m + string(c)
	}
}

// erase makes the cells from a to b blank; b may be beyond the end.
func (r *row) erase(a, b int) {
	end := r.cols()
	if b = min(b, end); a >= b {
		return
	}
	switch {
	case a == 0 && b == end:
		r.reset()
		return
	case r.celled || r.wide:
		r.split()
		r.clear(a, b)
	default:
		clear(r.buf[a:b])
		r.blanks = true
	}
	r.trim()
}

// trim drops blanks from the end.
func (r *row) trim() {
	if !r.celled {
		r.buf = bytes.TrimRight(r.buf, "\x00")
		return
	}
	n := len(r.cells)
	for n > 0 && r.cells[n-1] == 0 {
		n--
	}
	r.cells = r.cells[:n]
}

// insert shifts the cells from column x to the right by n blanks. What is
// beyond the right margin is lost.
func (r *row) insert(x, n int) {
	end := r.cols()
	if x >= end {
		return
	}
	r.split()
	r.breakAt(x)
	r.shift(x, n)
	r.cells = slices.Insert(r.cells, x, make([]rune, n)...)
	r.cut(max(end, maxCols))
}

// remove takes n cells out at column x; those right of them move up.
func (r *row) remove(x, n int) {
	end := r.cols()
	if n = min(n, end-x); n <= 0 {
		return
	}
	r.split()
	r.clear(x, x+n)
	r.shift(x+n, -n)
	r.cells = slices.Delete(r.cells, x, x+n)
	r.trim()
}

// breakAt clears what lies across the border left of column x.
func (r *row) breakAt(x int) {
	if x < len(r.cells) && r.cells[x] == tail {
		r.clear(x, x+1)
	}
}

// shift makes ready for the cells from column x on to move by n columns:
// combining characters move with them; tabs become blanks, for they would no longer end at a stop.
func (r *row) shift(x, n int) {
	for i, c := range r.cells[x:] {
		if c == '\t' {
			r.clear(x+i, x+i+1)
		}
	}
	if len(r.combining) == 0 {
		return
	}
	moved := make(map[int]string, len(r.combining))
	for i, m := range r.combining {
		if i >= x {
			i += n
		}
		moved[i] = m
	}
	r.combining = moved
}

// cut drops what is right of column x.
func (r *row) cut(x int) {
	if x < len(r.cells) {
		r.clear(x, len(r.cells))
		r.cells = r.cells[:x]
	}
	r.trim()
}

// appendText appends the line as it is printed, without a newline.
func (r *row) appendText(dst []byte) []byte {
	if !r.celled {
		if !r.blanks {
			return append(dst, r.buf...)
		}
		start := len(dst)
		dst = append(dst, bytes.TrimRight(r.buf, "\x00")...)
		for i := start; i < len(dst); i++ {
			if dst[i] == 0 {
				dst[i] = ' '
			}
		}
		return dst
	}
	if r.combining != nil {
		dst = append(dst, r.combining[-1]...)
	}
	n := len(r.cells)
	for n > 0 && r.cells[n-1] == 0 {
		n--
	}
	for i, c := range r.cells[:n] {
		switch c {
		case tail:
			continue
		case 0:
			c = ' '
		}
		dst = utf8.AppendRune(dst, c)
		if r.combining != nil {
			dst = append(dst, r.combining[i]...)
		}
	}
	return dst
}

// append adds a character or a tab to a row of text.
func (r *row) append(c rune) {
	if !r.wide {
		r.wide, r.measured, r.width = true, len(r.buf), len(r.buf)
	}
	r.buf = utf8.AppendRune(r.buf, c)
}
