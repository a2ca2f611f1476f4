package dotenv

import (
	"bytes"
	"fmt"
	"strings"
	"unicode/utf8"
)

// File is what a file says.
type File struct {
	// Values are the variables.
	Values map[string]string
	// Errors make the file unusable: Values are then incomplete.
	Errors []Remark
	// Warnings are about lines that were skipped because their name is not valid, and
	// about variables that are not set.
	Warnings []Remark
}

// Remark is an error or a warning about a line.
type Remark struct {
	Line int // counted from 1; where a value begins that has several
	Text string
}

// Lookup returns the value of a variable of the environment, and whether it is set.
type Lookup func(name string) (value string, set bool)

// Parse reads a file. A byte order mark is skipped, "\r\n" is "\n".
func Parse(data []byte, environment Lookup) File {
	p := &parser{environment: environment, line: 1}
	p.file.Values = map[string]string{}
	if bytes.HasPrefix(data, []byte("\xff\xfe")) || bytes.HasPrefix(data, []byte("\xfe\xff")) {
		p.fail("it is in UTF-16; want UTF-8")
		return p.file
	}
	text := string(bytes.TrimPrefix(data, []byte("\ufeff")))
	if before, _, found := strings.Cut(text, "\x00"); found {
		p.line += strings.Count(before, "\n")
		p.fail("a NUL byte")
		return p.file
	}
	p.rest = strings.ReplaceAll(text, "\r\n", "\n")
	for p.rest != "" {
		p.statement()
	}
	return p.file
}

// parser is at the beginning of a line.
type parser struct {
	rest        string
	line        int
	environment Lookup
	file        File
}

func (p *parser) fail(format string, args ...any) {
	p.file.Errors = append(p.file.Errors, Remark{p.line, fmt.Sprintf(format, args...)})
}

func (p *parser) warn(format string, args ...any) {
	p.file.Warnings = append(p.file.Warnings, Remark{p.line, fmt.Sprintf(format, args...)})
}

// lookup returns the value of a variable at this place of the file.
func (p *parser) lookup(name string) (value string, set bool) {
	if value, set = p.file.Values[name]; !set && p.environment != nil {
		value, set = p.environment(name)
	}
	return value, set
}

// firstLine is s up to the end of its first line.
func firstLine(s string) string {
	line, _, _ := strings.Cut(s, "\n")
	return line
}

// skip goes on behind the first n bytes, and the rest of the line in which they end.
func (p *parser) skip(n int) {
	n += len(firstLine(p.rest[n:]))
	n = min(n+1, len(p.rest))
	p.line += strings.Count(p.rest[:n], "\n")
	p.rest = p.rest[n:]
}

const blanks = " \t\r\v\f"

// statement reads a variable, or a line that sets none.
func (p *parser) statement() {
	line := firstLine(p.rest)
	body := strings.TrimLeft(line, blanks)
	if body == "" || body[0] == '#' {
		p.skip(0)
		return
	}
	body = withoutExport(body)
	sign := strings.IndexAny(body, "=:")
	if sign < 0 {
		p.bare(strings.TrimRight(body, blanks))
		return
	}
	begins := len(line) - len(body) + sign + 1
	begins += len(p.rest[begins:]) - len(strings.TrimLeft(p.rest[begins:], blanks))
	p.assignment(strings.TrimRight(body[:sign], blanks), begins)
}

// withoutExport returns a line without the word export.
func withoutExport(line string) string {
	rest := strings.TrimPrefix(line, "export")
	body := strings.TrimLeft(rest, blanks)
	if len(rest) == len(line) || len(body) == len(rest) || body == "" || body[0] == '=' || body[0] == ':' {
		return line // a name that begins so
	}
	return body
}

// bare reads a line that is nothing but a name.
func (p *parser) bare(name string) {
	name, _, _ = strings.Cut(name, " #")
	name = strings.TrimRight(name, blanks)
	if wrong := wrongIn(name); wrong != "" {
		p.fail("unexpected character %q in variable name", wrong)
	} else if value, set := p.lookup(name); set {
		p.file.Values[name] = value
	}
	p.skip(0)
}

// assignment reads a variable whose value begins somewhere.
func (p *parser) assignment(name string, begins int) {
	value := p.rest[begins:]
	length := len(firstLine(value))
	quote := ""
	if value != "" && (value[0] == '"' || value[0] == '\'') {
		quote = value[:1]
		length = quoted(value)
	}
	switch {
	case !IsVariable(name):
		p.warn("%q is no name of a variable: skipped", name)
		p.skip(begins + max(length, 0))
		return
	case length < 0:
		p.fail("unterminated quoted value")
		p.rest = ""
		return
	}
	if after := strings.Trim(firstLine(value[length:]), blanks); after != "" && after[0] != '#' {
		p.fail("want the end of the line, or a comment, after the closing quote; got %q", after)
		p.skip(begins + length)
		return
	}
	p.file.Values[name] = p.value(value[:length], quote)
	p.skip(begins + length)
}

// quoted returns the length of the quoted value that s begins with, -1 if it has no end.
func quoted(s string) int {
	for i := 1; i < len(s); i++ {
		switch s[i] {
		case '\\':
			i++
		case s[0]:
			return i + 1
		}
	}
	return -1
}

// value returns the value of text, which was in quotes of that kind; quote is "" if
// it was in none.
func (p *parser) value(text, quote string) string {
	switch quote {
	case "'":
		return strings.ReplaceAll(text[1:len(text)-1], `\'`, "'")
	case `"`:
		return p.expand(text[1:len(text)-1], true)
	}
	for i := range text {
		if text[i] == '#' && i > 0 && strings.IndexByte(blanks, text[i-1]) >= 0 {
			text = text[:i]
			break
		}
	}
	return p.expand(strings.TrimRight(text, blanks), false)
}

// IsVariable reports whether name is a valid name of a variable in a shell (POSIX,
// XBD 3.216).
func IsVariable(name string) bool { return name != "" && wrongIn(name) == "" }

// wrongIn returns the first character that is not allowed at its place in name, "" if there
// is none.
func wrongIn(name string) string {
	if n := nameLength(name); n < len(name) {
		_, size := utf8.DecodeRuneInString(name[n:])
		return name[n : n+size]
	}
	return ""
}

// nameLength returns the length of the name of a variable that s begins with.
func nameLength(s string) (n int) {
	for n < len(s) {
		switch c := s[n]; {
		case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', c == '_', n > 0 && '0' <= c && c <= '9':
			n++
		default:
			return n
		}
	}
	return n
}
