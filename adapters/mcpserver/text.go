package mcpserver

import (
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/procession-go/procession"
	"github.com/procession-go/procession/internal/visible"
)

// keepEnd returns the end of text, of limit bytes at the most, and how many bytes
// before it were cut. It begins with a line if that costs no more than half of it,
// and with a character in any case.
func keepEnd(text string, limit int) (end string, cut int) {
	if len(text) <= limit {
		return text, 0
	}
	cut = len(text) - limit
	for cut < len(text) && !utf8.RuneStart(text[cut]) {
		cut++
	}
	if text[cut-1] != '\n' {
		if line := strings.IndexByte(text[cut:], '\n') + 1; line > 0 && line <= limit/2 {
			cut += line
		}
	}
	return text[cut:], cut
}

// longestWords is how much of what others have called something, or given as a
// command, is returned, in characters.
const longestWords = 4096

// commandLine returns a command as one types it, of longestWords at the most.
func commandLine(info procession.Info) string {
	if info.Command == shell && len(info.Args) == 2 && info.Args[0] == "-c" {
		return visible.Cut(info.Args[1], longestWords)
	}
	words := slices.Concat([]string{info.Command}, info.Args)
	for i, word := range words {
		words[i] = quoted(word)
	}
	return visible.Cut(strings.Join(words, " "), longestWords)
}

// shell is the program of a shell line.
var shell = procession.Shell("").Command

// quoted returns a word as a shell wants it.
func quoted(word string) string {
	plain := func(r rune) bool {
		return r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || strings.ContainsRune("-_./:=@%+,", r)
	}
	if word != "" && strings.IndexFunc(word, func(r rune) bool { return !plain(r) }) < 0 {
		return word
	}
	return "'" + strings.ReplaceAll(word, "'", `'\''`) + "'"
}
