package mcpserver

import (
	"errors"
	"fmt"
	"regexp"
	"strings"
)

// mostContext is how many lines context_lines may ask for.
const mostContext = 100

// filter is which lines of a text are shown: those that re matches, and as many before
// and after each as context says, as grep -C has it; all if re is nil.
type filter struct {
	re      *regexp.Regexp
	context int
	ended   bool // the text is whole: its last line is one, even without a newline
}

// filterOf returns the parameters filter_lines and context_lines.
func filterOf(pattern string, context int) (filter, error) {
	re, err := lineFilter(pattern)
	switch {
	case err != nil:
		return filter{}, err
	case context < 0 || context > mostContext:
		return filter{}, fmt.Errorf("context_lines is %d; it must be from 0 to %d", context, mostContext)
	case context > 0 && re == nil:
		return filter{}, errors.New("context_lines is how many lines to show around those that filter_lines matches; give filter_lines, too")
	}
	return filter{re: re, context: context}, nil
}

// lineFilter compiles the parameter filter_lines, nil if it is "".
func lineFilter(pattern string) (*regexp.Regexp, error) {
	if pattern == "" {
		return nil, nil
	}
	return lineExpression("filter_lines", pattern)
}

// lineExpression compiles a parameter that is a regular expression for lines.
func lineExpression(name, pattern string) (*regexp.Regexp, error) {
	re, err := regexp.Compile(pattern)
	if err != nil {
		return nil, fmt.Errorf("%s %q: %w (the syntax is RE2; put \\ before a character to take it literally)", name, pattern, err)
	}
	return re, nil
}

// sieve lets the lines of a text through that a filter shows. The text comes in pieces
// that end with a line.
type sieve struct {
	filter
	before []string // lines that are shown if one soon matches
	after  int      // lines that are shown because one has matched
	shown  bool     // some line was
	gap    bool     // lines were left out since
}

// pass returns what a piece has of it.
func (s *sieve) pass(text string) string {
	if s.re == nil {
		return text
	}
	var b strings.Builder
	for line := range strings.Lines(text) {
		whole := strings.TrimSuffix(line, "\n")
		switch {
		case s.re.MatchString(whole):
			if s.gap && s.shown && s.context > 0 {
				b.WriteString("--\n")
			}
			for _, before := range s.before {
				b.WriteString(before)
			}
			b.WriteString(line)
			s.before, s.after, s.shown, s.gap = s.before[:0], s.context, true, false
		case s.context == 0, whole == line && !s.ended: // which may still match
		case s.after > 0:
			b.WriteString(line)
			s.after--
		default:
			if len(s.before) == s.context {
				s.before, s.gap = append(s.before[:0], s.before[1:]...), true
			}
			s.before = append(s.before, line)
		}
	}
	return b.String()
}
