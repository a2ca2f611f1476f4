package testkit

import (
	"os/exec"
	"strings"
	"testing"
)

// Needs skips a test if one of the programs that it needs is not installed.
func Needs(t testing.TB, programs ...string) {
	t.Helper()
	for _, program := range programs {
		Program(t, program)
	}
}

// Program is the path of a program that a test needs. If it is not installed, the test is
// skipped.
func Program(t testing.TB, name string) (path string) {
	t.Helper()
	path, err := exec.LookPath(name)
	if err != nil {
		t.Skipf("needs %s, which is not installed", name)
	}
	return path
}

// extras are programs that scripts of tests call and that POSIX does not name.
var extras = map[string]bool{
	"bash": true, "node": true, "perl": true, "python3": true, "readlink": true, "seq": true, "setsid": true,
	"timeout": true, "tmux": true, "top": true, "vi": true, "yes": true,
}

// NeedsFor skips a test if a script that it has the shell run, or a command line, names a
// program that POSIX does not and that is not installed.
func NeedsFor(t testing.TB, scripts ...string) {
	t.Helper()
	for _, script := range scripts {
		for word := range strings.FieldsFuncSeq(script, noName) {
			if extras[word] {
				Program(t, word)
			}
		}
	}
}

// noName reports whether a character is not part of the name of a program or of a file.
func noName(c rune) bool {
	return !('a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' || strings.ContainsRune("._-/", c))
}
