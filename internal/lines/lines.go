// Package lines finds the lines in output that arrives in pieces.
package lines

import "bytes"

// Scanner puts together the lines of one stream. A carriage return begins a line anew, as
// on a screen: the text before it is a line of its own, unless that is empty or the line
// ends with the carriage return ("\r\n"). The zero value is ready to use.
type Scanner struct {
	begun    []byte // of a line whose end has not come
	seen     int    // bytes of it that Rest has shown
	returned bool   // a carriage return has come, and nothing after it yet
	fragment Fragment
}

// MaxLine is how many bytes of a line are looked at. The rest of the line is
// skipped.
const MaxLine = 64 << 10

// short is the length in bytes up to which a line is looked at whenever more of it
// comes.
const short = 4 << 10

// Feed calls line with each line that data completes, without its end, until line returns
// false. It returns whether line never returned false. The slice is valid during the call
// only.
func (s *Scanner) Feed(data []byte, line func([]byte) bool) bool {
	for data = s.fragment.After(data); len(data) > 0; {
		end := bytes.IndexAny(data, "\r\n")
		text := data
		if end >= 0 {
			text = data[:end]
		}
		if len(text) > 0 && !s.add(text, line) {
			return false
		}
		switch {
		case end < 0:
			return true
		case data[end] == '\r':
			s.returned = true
		case !s.end(line):
			return false
		}
		data = data[end+1:]
	}
	return true
}

// add adds text to the line, or begins it anew.
func (s *Scanner) add(text []byte, line func([]byte) bool) (goOn bool) {
	goOn = true
	if s.returned {
		goOn = len(s.begun) == 0 || line(s.begun)
		s.Reset()
	}
	s.begun = append(s.begun, text[:min(len(text), MaxLine-len(s.begun))]...)
	return goOn
}

// end ends the line.
func (s *Scanner) end(line func([]byte) bool) (goOn bool) {
	goOn = line(s.begun)
	s.Reset()
	return goOn
}

// Rest returns the line whose end has not come yet. It is empty if there is none, or if Rest
// has returned it before.
func (s *Scanner) Rest() []byte {
	if len(s.begun) == s.seen {
		return nil
	}
	s.seen = len(s.begun)
	return s.begun
}

// IsDue says when to look at Rest: now, if the line is short, or has grown by an eighth
// since the last look; otherwise later, when nothing more comes of it. So looking costs
// little even if a long line grows byte by byte.
func (s *Scanner) IsDue() (now, later bool) {
	switch more := len(s.begun) - s.seen; {
	case more == 0:
		return false, false
	case len(s.begun) <= short, more > s.seen/8:
		return true, false
	}
	return false, true
}

// Reset forgets the line whose end has not come yet.
func (s *Scanner) Reset() { *s = Scanner{begun: s.begun[:0]} }

// Skip makes the scanner begin with a fragment.
func (s *Scanner) Skip() {
	s.Reset()
	s.fragment.Open = true
}
