package plaintext

import "slices"

// screen is the last lines of the text: those that a terminal shows, and some
// that have scrolled out but can still change. What leaves it is finished.
//
//	rows[0]    ┐ scrolled out, kept if the height is not known
//	…          ┘
//	rows[top]  ┐ the terminal's screen, height lines;
//	…          │ those at the end that nothing has reached need not exist
//	…          ┘
type screen struct {
	rows []*row
	free []*row
	done *[]byte // where finished lines go; nil: nowhere

	top, height int
	keep        int  // rows at most
	fixed       bool // the height is known

	y int // the cursor's row, an index of rows
	x int // its column, or atEnd

	first, last int // the scrolling region: rows from top+first, below top+last; see region

	saved struct{ y, x int } // y counts from top

	measured struct { // the last character that was: bars are of one
		c rune
		w int
	}
}

// atEnd is behind the last cell of the row, where text is appended without a
// need to know which column that is.
const atEnd = -1

func (s *screen) init(rows int, done *[]byte) {
	*s = screen{done: done, fixed: rows > 0, height: rows, keep: rows}
	if !s.fixed {
		s.height, s.keep = usualRows, unknownRows
	}
	s.rows = append(make([]*row, 0, 8), new(row))
}

func (s *screen) line() *row { return s.rows[s.y] }

// col returns the cursor's column.
func (s *screen) col() int {
	if s.x == atEnd {
		s.x = s.line().cols()
	}
	return s.x
}

func (s *screen) newRow() *row {
	n := len(s.free) - 1
	if n < 0 {
		return new(row)
	}
	r := s.free[n]
	s.free = s.free[:n]
	return r
}

func (s *screen) recycle(r *row) {
	r.reset()
	r.live = false
	if len(s.free) < 4 {
		s.free = append(s.free, r)
	}
}

// ensure makes the rows up to index y exist.
func (s *screen) ensure(y int) {
	for len(s.rows) <= y {
		s.rows = append(s.rows, s.newRow())
	}
}

// region reports whether a part of the screen alone scrolls. It need not when its
// end was set: an unknown height may turn out to be more.
func (s *screen) region() bool { return s.first > 0 || s.last > 0 && s.last < s.height }

// bottom returns the index behind the scrolling region.
func (s *screen) bottom() int {
	if s.region() {
		return s.top + s.last
	}
	return s.top + s.height
}

// appendText appends the lines down to the last that was reached.
func (s *screen) appendText(dst []byte) []byte {
	n := len(s.rows)
	for n > 0 && !s.rows[n-1].live {
		n--
	}
	for i, r := range s.rows[:n] {
		if i > 0 {
			dst = append(dst, '\n')
		}
		dst = r.appendText(dst)
	}
	return dst
}

// preview lets the cursor's line be written to for a while, until the function
// that it returns is called.
func (s *screen) preview() (restore func()) {
	y, x, r := s.y, s.x, s.line()
	s.rows[y] = r.clone()
	return func() { s.x, s.rows[y] = x, r }
}

// printASCII writes p, characters from blank to tilde, at the cursor.
func (s *screen) printASCII(p []byte) {
	r := s.line()
	r.live = true
	if !r.celled {
		if s.x == atEnd {
			r.buf = append(r.buf, p...)
			return
		}
		if !r.wide || s.x >= r.cols() {
			r.pad(s.x)
			if r.wide || s.x == len(r.buf) {
				r.buf = append(r.buf, p...)
				s.x = atEnd
				return
			}
			n := copy(r.buf[s.x:], p)
			r.buf = append(r.buf, p[n:]...)
			if s.x += len(p); s.x == len(r.buf) {
				s.x = atEnd
			}
			return
		}
		r.split()
	}
	x := s.col()
	for _, c := range p {
		r.set(x, rune(c), 1)
		x++
	}
	s.x = x
}

// print writes a character at the cursor.
func (s *screen) print(c rune) {
	r := s.line()
	r.live = true
	if !r.celled {
		if s.x == atEnd || s.x >= r.cols() {
			if s.x != atEnd {
				r.pad(s.x)
			}
			r.append(c)
			s.x = atEnd
			return
		}
		r.split()
	}
	if c != s.measured.c {
		s.measured.c, s.measured.w = c, cellsOf(c)
	}
	x, w := s.col(), s.measured.w
	if w == 0 {
		r.combine(x, c)
		return
	}
	r.set(x, c, w)
	s.x = x + w
}

// tab writes a tab where there is nothing to the right, and else moves.
func (s *screen) tab() {
	r := s.line()
	r.live = true
	if x := s.x; x != atEnd && x < r.cols() {
		s.x = nextTab(x)
		return
	}
	if !r.celled {
		if s.x != atEnd {
			r.pad(s.x)
		}
		r.append('\t')
		s.x = atEnd
		return
	}
	x := s.col()
	r.set(x, '\t', nextTab(x)-x)
	s.x = nextTab(x)
}

func (s *screen) eraseInLine(what int) {
	r := s.line()
	switch what {
	case 0:
		if s.x != atEnd {
			r.erase(s.x, r.cols())
		}
	case 1:
		r.erase(0, s.col()+1)
	case 2:
		s.col()
		r.erase(0, r.cols())
	}
}

func (s *screen) eraseCells(n int) {
	s.line().erase(s.col(), s.col()+n)
}

func (s *screen) insertCells(n int) {
	if x := s.col(); x < maxCols {
		s.line().insert(x, min(n, maxCols-x))
	}
}

func (s *screen) deleteCells(n int) {
	s.line().remove(s.col(), n)
}

// erase is ED. A row that it clears counts as not reached.
func (s *screen) erase(what int) {
	s.col()
	from, to := s.top, len(s.rows)
	switch what {
	case 0:
		from = s.y + 1
		s.eraseInLine(0)
	case 1:
		to = s.y
		s.eraseInLine(1)
	case 2:
	default:
		return
	}
	for _, r := range s.rows[from:to] {
		r.reset()
		r.live = false
	}
}

// finish lets go of the rows that are too many.
func (s *screen) finish() {
	for len(s.rows) > s.keep {
		r := s.rows[0]
		if s.done != nil {
			*s.done = append(r.appendText(*s.done), '\n')
		}
		s.rows = slices.Delete(s.rows, 0, 1)
		s.recycle(r)
		s.top--
		s.y--
	}
}
