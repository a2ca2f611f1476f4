//go:build unix

package run_test

import (
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/procession-go/procession/internal/cli/clitest"
)

func TestColour(t *testing.T) {
	for _, test := range []struct {
		env    string
		colour bool
	}{{"TERM=xterm", true}, {"NO_COLOR=1", false}, {"TERM=dumb", false}} {
		t.Run(test.env, func(t *testing.T) {
			cmd := clitest.Command(t, "run", "--name", "x", "echo a", "echo b >&2; exit 1")
			cmd.Env = append(cmd.Env, "TERM=xterm", test.env)
			s := clitest.Show(t, cmd)
			if test.colour {
				s.Expect("\x1b[36mx    |\x1b[0m a\r\n")
			} else {
				s.Expect("x    | a\r\n")
			}
			s.ExpectMatch(`OUTPUT(?s:.*)\n.*\n`)
			s.Ends(1)
			assert.False(t, !test.colour && s.Shows("\x1b"), "there is colour")
		})
	}
}
