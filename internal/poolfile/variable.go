package poolfile

import "strings"

// IsVariable reports whether a shell takes name for that of a variable (POSIX, XBD 3.216).
func IsVariable(name string) bool {
	notIn := func(r rune) bool {
		return !('a' <= r && r <= 'z' || 'A' <= r && r <= 'Z' || '0' <= r && r <= '9' || r == '_')
	}
	return name != "" && !strings.ContainsFunc(name, notIn) && (name[0] < '0' || name[0] > '9')
}
