package dotenv

import "strings"

// escapes are what stands for other characters in double quotes, after a backslash.
var escapes = map[byte]byte{
	'a': '\a', 'b': '\b', 'f': '\f', 'n': '\n', 'r': '\r', 't': '\t', 'v': '\v', '"': '"', '\\': '\\',
}

// expand returns text with the variables put in, and in double quotes the escapes.
func (p *parser) expand(text string, inQuotes bool) string {
	var out strings.Builder
	for i := 0; i < len(text); {
		rest := text[i:]
		escaped, known := byte(0), false
		if len(rest) > 1 && inQuotes {
			escaped, known = escapes[rest[1]]
		}
		switch {
		case strings.HasPrefix(rest, "$$"), strings.HasPrefix(rest, `\$`):
			out.WriteByte('$')
			i += 2
		case rest[0] == '\\' && known:
			out.WriteByte(escaped)
			i += 2
		case strings.HasPrefix(rest, "${"):
			length := braced(rest)
			if length < 0 {
				p.fail("${ has no }; a dollar is $$")
				return out.String()
			}
			out.WriteString(p.reference(rest[2:length-1], inQuotes))
			i += length
		case rest[0] == '$' && nameLength(rest[1:]) > 0:
			length := 1 + nameLength(rest[1:])
			out.WriteString(p.reference(rest[1:length], inQuotes))
			i += length
		default:
			out.WriteByte(rest[0])
			i++
		}
	}
	return out.String()
}

// braced returns the length of the ${…} that s begins with, -1 if it has no end.
func braced(s string) int {
	depth := 0
	for i := 0; i < len(s); i++ {
		switch {
		case s[i] == '\\':
			i++
		case strings.HasPrefix(s[i:], "${"):
			depth++
			i++
		case s[i] == '}':
			if depth--; depth == 0 {
				return i + 1
			}
		}
	}
	return -1
}

// reference returns what ${inner} stands for.
func (p *parser) reference(inner string, inQuotes bool) string {
	name := inner[:nameLength(inner)]
	op := strings.TrimPrefix(inner[len(name):], ":")
	orEmpty := len(op) < len(inner)-len(name) // counts as not set
	value, set := p.lookup(name)
	has := set && !(orEmpty && value == "")
	switch {
	case name == "" || orEmpty && op == "" || op != "" && !strings.Contains("-+?", op[:1]):
		p.fail("${%s}: want ${NAME}, or :-, :+, :?, -, + or ? after the name; a dollar is $$", inner)
		return ""
	case op == "":
		if !set {
			p.warn("%s is not set: empty", name)
		}
		return value
	case op[0] == '+' && has, op[0] == '-' && !has:
		return p.expand(op[1:], inQuotes)
	case op[0] == '+':
		return ""
	case op[0] == '?' && !has:
		p.fail("%s is not set: %s", name, p.expand(op[1:], inQuotes))
	}
	return value
}
