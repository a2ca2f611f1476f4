package main

import (
	"fmt"
	"path"
	"regexp"
	"strings"
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

var (
	assignment = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*=`)
	notInName  = regexp.MustCompile(`[^\pL\pN._+-]+`)
)

// firstWord is the name of the program that a shell line starts, as far as that
// can be told without being a shell.
func firstWord(line string) string {
	for _, word := range strings.Fields(line) {
		if assignment.MatchString(word) {
			continue
		}
		word = strings.Trim(word, `"'(){};&|$`)
		if word = notInName.ReplaceAllString(path.Base(word), ""); strings.Trim(word, ".") != "" {
			return word
		}
	}
	return "sh"
}
