//go:build unix

package terminal

import (
	"strings"
	"testing"
)

func TestWhatAKeeperIsTold(t *testing.T) {
	for _, test := range []struct {
		told, resets string
		dismissed    bool
	}{
		{"", "", false},
		{"\x1b[m\n", "\x1b[m", false},
		{"\x1b[m\n\n", "", false},
		{"\x1b[m\n\x1b[?25h\n\x1b[", "\x1b[?25h", false},
		{"\x1b[m\n.\n", "", true},
		{".\n", "", true},
		{".", "", false},
	} {
		if resets, dismissed := lastTold(strings.NewReader(test.told)); resets != test.resets || dismissed != test.dismissed {
			t.Errorf("%q: %q, %v", test.told, resets, dismissed)
		}
	}
}
