package poolfile

import (
	"fmt"
	"slices"
	"strings"
)

// suggest returns the end of a message about a name that is unknown: the nearest of
// those that are known, if one is near, or all of them.
func suggest(name string, known []string) string {
	nearest, least := "", max(2, len(name)/2)+1
	for _, k := range known {
		if d := distance(strings.ToLower(name), strings.ToLower(k)); d < least && d < max(len(name), len(k)) {
			nearest, least = k, d
		}
	}
	if nearest != "" {
		return fmt.Sprintf("; did you mean %q?", nearest)
	}
	sorted := slices.Sorted(slices.Values(known))
	return fmt.Sprintf(" (known: %s)", strings.Join(sorted, ", "))
}

// distance returns how many bytes must be inserted, removed or replaced to make b of
// a (Levenshtein).
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			replaced := diagonal
			if a[i] != b[j] {
				replaced++
			}
			diagonal = row[j+1]
			row[j+1] = min(replaced, row[j]+1, diagonal+1)
		}
	}
	return row[len(b)]
}
