package terminal

import (
	"slices"
	"strconv"
	"strings"

	"github.com/charmbracelet/x/ansi"
)

// modeSet is what is not as a program finds it. The zero value is a terminal as it
// is between programs.
type modeSet struct {
	private    uint32   // bits, as in privateModes
	other      uint32   // bits: the constants below
	pushed     [2]uint8 // keyboard modes of kitty's protocol, of the main and the alternate screen
	unfinished bool     // an escape sequence
}

const (
	keypad uint32 = 1 << iota
	margins
	insert
	look // of the text: a colour, bold and so on
	lineDrawing
	shifted
	cursorShape
	modifiedKeys
	keyboard
)

// privateMode is one that CSI ? n h sets and CSI ? n l resets.
type privateMode struct {
	number int
	set    bool // between programs
}

// privateModes are in the order in which they are put back: what the screen does
// not show before its update has ended, then what belongs to a screen, then the
// screens, then the rest.
var privateModes = []privateMode{
	{number: 2026},
	{number: 6}, {number: 69},
	{number: 1049}, {number: 1047}, {number: 47},
	{number: 5}, {number: 7, set: true}, {number: 25, set: true}, {number: 1},
	{number: 9}, {number: 1000}, {number: 1001}, {number: 1002}, {number: 1003},
	{number: 1004}, {number: 1005}, {number: 1006}, {number: 1015}, {number: 1016},
	{number: 2004}, {number: 2031}, {number: 2048},
}

// bitsOf are those of some private modes.
func bitsOf(numbers ...int) (bits uint32) {
	for i, m := range privateModes {
		if slices.Contains(numbers, m.number) {
			bits |= 1 << i
		}
	}
	return bits
}

var (
	screenModes    = bitsOf(1049, 1047, 47)
	beforeScreens  = bitsOf(2026, 6, 69)
	softResetModes = bitsOf(6, 7, 25, 1)
)

const softReset = keypad | margins | insert | look | lineDrawing | shifted

// screen is 1 for the alternate one.
func (s *modeSet) screen() int {
	if s.private&screenModes != 0 {
		return 1
	}
	return 0
}

// resets is what puts a terminal back as programs find it, "" if it is.
func (s modeSet) resets() string {
	var b strings.Builder
	if s.unfinished {
		b.WriteByte(ansi.CAN)
	}
	alternate := s.screen() == 1
	s.resetPrivate(&b, beforeScreens)
	switch on := s.other&margins != 0; {
	case on && alternate: // the cursor is put back with the screen
		b.WriteString("\x1b[r")
	case on:
		b.WriteString("\x1b7\x1b[r\x1b8")
	}
	if alternate {
		s.pop(&b, 1)
	}
	s.resetPrivate(&b, screenModes)
	s.pop(&b, 0)
	s.resetPrivate(&b, ^(beforeScreens | screenModes))
	for _, other := range []struct {
		bit   uint32
		reset string
	}{
		{keypad, "\x1b>"}, {insert, "\x1b[4l"}, {modifiedKeys, "\x1b[>4m"}, {keyboard, "\x1b[=0u"},
		{cursorShape, "\x1b[0 q"}, {shifted, "\x0f"}, {lineDrawing, "\x1b(B"}, {look, "\x1b[m"},
	} {
		if s.other&other.bit != 0 {
			b.WriteString(other.reset)
		}
	}
	return b.String()
}

func (s *modeSet) resetPrivate(b *strings.Builder, which uint32) {
	for i, m := range privateModes {
		if s.private&which&(1<<i) == 0 {
			continue
		}
		b.WriteString("\x1b[?" + strconv.Itoa(m.number))
		if m.set {
			b.WriteByte('h')
		} else {
			b.WriteByte('l')
		}
	}
}

func (s *modeSet) pop(b *strings.Builder, screen int) {
	if n := s.pushed[screen]; n > 0 {
		b.WriteString("\x1b[<" + strconv.Itoa(int(n)) + "u")
	}
}
