package run

import (
	"fmt"
	"path"
	"slices"
	"strings"
	"unicode"

	"github.com/procession-go/procession/internal/cli/console"
	"github.com/procession-go/procession/internal/dotenv"
)

// nameLines gives each shell line the name that was asked for, or one made of
// its first word. All of these are different.
func nameLines(lines, given []string) []string {
	names := make([]string, len(lines))
	taken := make(map[string]bool, len(lines))
	for i := range copy(names, given) {
		taken[names[i]] = true
	}
	for i := len(given); i < len(lines); i++ {
		name := firstWord(lines[i])
		for n := 2; taken[name]; n++ {
			name = fmt.Sprintf("%s-%d", firstWord(lines[i]), n)
		}
		taken[name] = true
		names[i] = name
	}
	return names
}

// checkNames says what is wrong with names that were asked for: each of them is in
// front of lines, and tells whose they are.
func checkNames(names []string) error {
	for i, name := range names {
		switch {
		case name == "":
			return console.Usagef("--name: a name is empty")
		case strings.ContainsFunc(name, func(r rune) bool { return !unicode.IsPrint(r) }):
			return console.Usagef("--name: %q has characters that cannot be printed", name)
		case slices.Contains(names[:i], name):
			return console.Usagef("--name: %q is there twice", name)
		}
	}
	return nil
}

// checkLines says if there is nothing in a shell line, as when a variable that was
// to be in it is not set.
func checkLines(lines []string) error {
	for i, line := range lines {
		if strings.TrimSpace(line) == "" {
			return console.Usagef("line %d is empty", i+1)
		}
	}
	return nil
}

// firstWord is the name of the program that a shell line starts, as far as that
// can be told without being a shell.
func firstWord(line string) string {
	for _, word := range strings.Fields(line) {
		if variable, _, ok := strings.Cut(word, "="); ok && dotenv.IsVariable(variable) {
			continue
		}
		word = strings.Trim(word, `"'(){};&|$`)
		if word = strings.Map(inName, path.Base(word)); strings.Trim(word, ".") != "" {
			return word
		}
	}
	return "sh"
}

// inName is r if it may be in a name that was not asked for, and -1 if not.
func inName(r rune) rune {
	if unicode.IsLetter(r) || unicode.IsNumber(r) || strings.ContainsRune("._+-", r) {
		return r
	}
	return -1
}
