package plaintext

import "slices"

// left, right and column move within the line.
func (s *screen) left(n int) { s.x = max(0, s.col()-n) }

func (s *screen) right(n int) {
	if x := s.col(); n < maxCols && x+n < maxCols {
		s.x = x + n
	} else {
		s.x = max(x, usualCols-1)
	}
}

func (s *screen) column(x int) {
	if s.x = x; x >= maxCols {
		s.x = usualCols - 1
	}
}

func (s *screen) forwardTabs(n int) {
	x := s.col()
	for ; n > 0 && x < maxCols; n-- {
		x = nextTab(x)
	}
	s.column(x)
}

func (s *screen) backTabs(n int) {
	x := s.col()
	for ; n > 0 && x > 0; n-- {
		x = (x - 1) / 8 * 8
	}
	s.x = x
}

// up and down move between lines; at the edge of the screen, or of the scrolling
// region if the cursor is inside, they stop. A program that goes up further than
// an unknown height knows that the screen is higher; one that goes up very far
// means its top.
func (s *screen) up(n int) {
	s.col()
	limit := s.top
	if s.y >= s.top+s.first {
		limit += s.first
	}
	if y := s.y - n; y < s.top && !s.fixed && !s.region() && n < s.keep {
		s.top = max(0, y)
		s.height = max(s.height, len(s.rows)-s.top)
		limit = s.top
	}
	s.y = max(limit, s.y-n)
}

func (s *screen) down(n int) {
	s.col()
	limit := s.top + s.height
	if b := s.bottom(); s.y < b {
		limit = b
	}
	s.y += min(n, limit-1-s.y)
	s.ensure(s.y)
}

// row moves to a line of the screen.
func (s *screen) row(n int) {
	s.col()
	s.higher(n + 1)
	s.y = s.top + min(n, s.height-1)
	s.ensure(s.y)
}

// higher makes an unknown height at least n.
func (s *screen) higher(n int) {
	if !s.fixed && n > s.height && n <= s.keep {
		s.height = n
		s.top = min(s.top, max(0, len(s.rows)-n))
	}
}

func (s *screen) save() {
	s.saved.y, s.saved.x = s.y-s.top, s.col()
}

func (s *screen) restore() {
	s.row(s.saved.y)
	s.x = s.saved.x
}

// limits sets the scrolling region to the lines from first to last, counted from
// 1. Zeros are the whole screen.
func (s *screen) limits(first, last int) {
	s.higher(last)
	if last <= 0 && first <= 1 {
		s.first, s.last = 0, 0
		return
	}
	if last <= 0 || last > s.height {
		last = s.height
	}
	if first = max(first, 1); first < last {
		s.first, s.last = first-1, last
	}
}

// margins is limits by the program's request, which moves the cursor home.
func (s *screen) margins(first, last int) {
	s.limits(first, last)
	s.row(0)
	s.x = 0
}

func (s *screen) lineFeed() {
	s.x = 0
	s.index()
	s.line().live = true
}

// index moves down, and scrolls at the end of the region.
func (s *screen) index() {
	s.col()
	switch {
	case s.y == s.bottom()-1:
		s.scrollUp(1)
	case s.y < s.top+s.height-1:
		s.y++
		s.ensure(s.y)
	}
}

func (s *screen) reverseIndex() {
	s.col()
	switch {
	case s.y == s.top+s.first:
		s.scrollDown(1)
	case s.y > s.top:
		s.y--
	}
}

// scrollUp moves the region's lines up. From the top of the screen they go to
// those that scrolled out; the cursor stays where it is on the screen.
func (s *screen) scrollUp(n int) {
	s.col()
	for range min(n, s.height) {
		if s.first > 0 {
			s.deleteAt(s.top + s.first)
			continue
		}
		b := s.bottom()
		s.ensure(b - 1)
		s.rows = slices.Insert(s.rows, b, s.newRow())
		s.top++
		s.y++
		s.finish()
	}
	s.ensure(s.y)
}

func (s *screen) scrollDown(n int) {
	s.col()
	for range min(n, s.height) {
		s.insertAt(s.top + s.first)
	}
}

// insertLines and deleteLines work from the cursor's line to the region's end.
func (s *screen) insertLines(n int) {
	if s.y < s.top+s.first || s.y >= s.bottom() {
		return
	}
	for range min(n, s.height) {
		s.insertAt(s.y)
	}
	s.x = 0
}

func (s *screen) deleteLines(n int) {
	if s.y < s.top+s.first || s.y >= s.bottom() {
		return
	}
	for range min(n, s.height) {
		s.deleteAt(s.y)
	}
	s.x = 0
}

func (s *screen) insertAt(y int) {
	if b := s.bottom(); len(s.rows) >= b {
		s.recycle(s.rows[b-1])
		s.rows = slices.Delete(s.rows, b-1, b)
	}
	s.ensure(y - 1)
	s.rows = slices.Insert(s.rows, y, s.newRow())
	s.ensure(s.y)
}

func (s *screen) deleteAt(y int) {
	if y < len(s.rows) {
		b, full := s.bottom(), len(s.rows) >= s.bottom()
		s.recycle(s.rows[y])
		s.rows = slices.Delete(s.rows, y, y+1)
		if full {
			s.rows = slices.Insert(s.rows, b-1, s.newRow())
		}
	}
	s.ensure(s.y)
}
