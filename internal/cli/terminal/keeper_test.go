//go:build unix

package terminal

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
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
		resets, dismissed := lastTold(strings.NewReader(test.told))
		assert.Equal(t, test.resets, resets, "%q", test.told)
		assert.Equal(t, test.dismissed, dismissed, "%q", test.told)
	}
}
