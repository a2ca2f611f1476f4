package screen

import (
	"slices"
	"strconv"
	"strings"

	"github.com/charmbracelet/x/ansi"
)

// style is how text looks: for each of its qualities the parameters of SGR that gave it
// (ECMA-48, 8.3.117), "" if it is as it is without any.
type style [qualities]string

const (
	foreground = iota
	background
	underlineColour
	bold
	faint
	italic
	underline
	blink
	inverse
	strike
	overline
	qualities
)

// String is the parameters of SGR for all of it.
func (s *style) String() string {
	if *s == (style{}) {
		return ""
	}
	return strings.Join(slices.DeleteFunc(slices.Clone(s[:]), func(p string) bool { return p == "" }), ";")
}

// turn is what turns one style into another.
func turn(from, to string) (sequence string) {
	if from != "" {
		sequence = "\x1b[m"
	}
	if to != "" {
		sequence += "\x1b[" + to + "m"
	}
	return sequence
}

// sgr is the sequence that changes the style.
func (s *style) sgr(params ansi.Params) {
	if len(params) == 0 {
		*s = style{}
	}
	for i := 0; i < len(params); {
		code, more, _ := params.Param(i, 0)
		from := i
		for i++; more; i++ { // what is after a colon belongs to it
			_, more, _ = params.Param(i, 0)
		}
		if i == from+1 && (code == 38 || code == 48 || code == 58) {
			switch kind, _, _ := params.Param(i, 0); kind {
			case 5:
				i = min(from+3, len(params))
			case 2:
				i = min(from+5, len(params))
			}
		}
		s.change(code, text(params, from, i))
	}
}

// text is parameters as they are written.
func text(params ansi.Params, from, end int) string {
	var b strings.Builder
	for i := from; i < end; i++ {
		n, more, _ := params.Param(i, 0)
		b.WriteString(strconv.Itoa(n))
		switch {
		case i == end-1:
		case more:
			b.WriteByte(':')
		default:
			b.WriteByte(';')
		}
	}
	return b.String()
}

// change is one code, which is written so with what belongs to it.
func (s *style) change(code int, written string) {
	switch {
	case code == 0:
		*s = style{}
	case code >= 30 && code <= 38, code >= 90 && code <= 97:
		s[foreground] = written
	case code == 39:
		s[foreground] = ""
	case code >= 40 && code <= 48, code >= 100 && code <= 107:
		s[background] = written
	case code == 49:
		s[background] = ""
	case code == 58:
		s[underlineColour] = written
	case code == 59:
		s[underlineColour] = ""
	case code == 1:
		s[bold] = written
	case code == 2:
		s[faint] = written
	case code == 22:
		s[bold], s[faint] = "", ""
	case code == 4, code == 21:
		s[underline] = written
	case code == 3:
		s[italic] = written
	case code == 5, code == 6:
		s[blink] = written
	case code == 7:
		s[inverse] = written
	case code == 9:
		s[strike] = written
	case code == 53:
		s[overline] = written
	case code == 55:
		s[overline] = ""
	case code >= 23 && code <= 29:
		quality := [...]int{italic, underline, blink, qualities, inverse, qualities, strike}[code-23]
		if quality < qualities {
			s[quality] = ""
		}
	}
}
