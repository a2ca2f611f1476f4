// Package lines finds the lines in output that arrives in pieces.
package lines

import "bytes"

// Scanner puts together the lines of one stream. The zero value is ready.
type Scanner struct {
	begun []byte // of a line whose end has not come
}

// MaxLine is the most of a line that is looked at, in bytes; what follows in the
// same line is skipped.
const MaxLine = 64 << 10

// Feed calls line with each line that data completes, its end ("\n" or "\r\n")
// removed, until line returns false; it answers whether that did not happen.
// The slice is valid during the call only.
func (s *Scanner) Feed(data []byte, line func([]byte) bool) bool {
	for {
		text, rest, ended := bytes.Cut(data, []byte("\n"))
		if room := MaxLine - len(s.begun); !ended || len(s.begun) > 0 {
			s.begun = append(s.begun, text[:min(len(text), room)]...)
			text = s.begun
		}
		if !ended {
			return true
		}
		s.begun = s.begun[:0]
		if !line(bytes.TrimSuffix(text[:min(len(text), MaxLine)], []byte("\r"))) {
			return false
		}
		data = rest
	}
}

// Rest is the line whose end has not come, empty if there is none.
func (s *Scanner) Rest() []byte { return s.begun }

// Reset forgets the line whose end has not come.
func (s *Scanner) Reset() { s.begun = s.begun[:0] }
