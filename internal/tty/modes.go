// Package tty asks the line discipline of a terminal how it treats what is typed
// (termios(3)).
package tty

// Modes say how a terminal treats what is typed.
type Modes struct {
	// Canonical: what is typed is handed over in lines, and there is an end-of-file.
	Canonical bool
	// Signals: some characters are signals to the foreground process group.
	Signals bool
	// EOF is the character that is the end-of-file; Disabled if there is none.
	EOF byte
	// Quote is the character that makes the next one data; Disabled if there is none.
	Quote byte
	// Erase is the character that takes back the last one; Disabled if there is none.
	Erase byte
	// Ends are the characters after which a line begins anew.
	Ends [256]bool
	// MaxLine is how many bytes a line may have in canonical mode, without its end. The
	// system silently drops the rest. 0 if it is not known.
	MaxLine int
}

// Typed returns how many bytes of data can be typed after begun bytes of a line: all, or
// those before a line that is too long. left is how many bytes of an unfinished line there
// are then.
func (m *Modes) Typed(begun int, data []byte) (n, left int) {
	if !m.Canonical {
		return len(data), 0
	}
	start, before := 0, begun // of the present line
	quoted := false
	for i, c := range data {
		switch {
		case quoted:
			quoted = false
			begun++
		case c == m.Quote && c != Disabled:
			quoted = true
		case c == m.Erase && c != Disabled:
			begun = max(begun-1, 0)
		case m.Ends[c]:
			start, before, begun = i+1, 0, 0
		default:
			begun++
		}
		if m.MaxLine > 0 && begun > m.MaxLine {
			return start, before
		}
	}
	return len(data), begun
}

// EndOfFile returns what must be typed for the end of the input, after begun bytes of a line.
// In an unfinished line the first end-of-file character only hands over that line, so two are
// needed. It is empty if the terminal has no such character.
func (m *Modes) EndOfFile(begun int) []byte {
	switch {
	case !m.Canonical || m.EOF == Disabled:
		return nil
	case begun > 0:
		return []byte{m.EOF, m.EOF}
	}
	return []byte{m.EOF}
}
