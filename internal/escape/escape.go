// Package escape adds to the parser of terminal control sequences what those who
// feed it output need to know.
package escape

import "github.com/charmbracelet/x/ansi/parser"

// InString reports whether text is part of a control sequence, such as a title, in
// that state. The parser is not to see characters there: it takes a byte of one
// for the end.
func InString(s parser.State) bool {
	switch s {
	case parser.DcsStringState, parser.OscStringState, parser.SosStringState, parser.PmStringState, parser.ApcStringState:
		return true
	}
	return false
}
