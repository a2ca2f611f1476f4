//go:build unix

package local_test

import (
	"regexp"
	"testing"
	"time"

	"github.com/procession-go/procession/internal/cli/clitest"
	"github.com/procession-go/procession/internal/cli/interrupt"
)

// The first signal is heard also if something is being ended already.
func TestTheFirstSignalWhileItEnds(t *testing.T) {
	stubborn := `trap "" TERM; echo on; while :; do sleep 1000 & wait; done`
	for name, test := range map[string]struct {
		args []string
		says string
	}{
		"up": {[]string{"up", clitest.PoolYAML(t, "processes:\n  a: {command: '"+stubborn+"', grace: 1h, ready: {pattern: on}}\n  b: {command: exit 3, depends_on: {a: ready}}")},
			`waiting for a \(at most (59m\d+|1h0m0)s\) to end; Ctrl-C again to kill`},
		"run, a timeout":        {[]string{"run", "--grace", "1h", "--timeout", "100ms", "--name", "a", "--", "sh", "-c", stubborn}, `procession: waiting for a \(at most (59m\d+|1h0m0)s\) to end; Ctrl-C again to kill`},
		"run, what it has left": {[]string{"run", "--grace", "1h", "--name", "a", "--", "sh", "-c", `(` + stubborn + `) >/dev/null & sleep 0.1; echo on`}, `procession: waiting for a \(at most (59m\d+|1h0m0)s\) to end; Ctrl-C again to kill`},
		"run of lines":          {[]string{"run", "--grace", "1h", "--timeout", "100ms", "--name", "a", "--name", "b", stubborn, stubborn}, `procession: waiting for a \(at most .*s\), b \(at most .*s\) to end; Ctrl-C again to kill`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := clitest.Show(t, clitest.Command(t, test.args...))
			s.Expect("on")
			says := regexp.MustCompile(test.says)
			if name == "up" {
				s.Expect("stopping the rest")
			}
			time.Sleep(500 * time.Millisecond) // nothing tells that it is being ended
			s.Key("\x03")
			s.ExpectMatch(says.String())
			time.Sleep(interrupt.AgainAfter) // what comes sooner is not meant again
			s.Key("\x03")
			clitest.Wait(t, s.Cmd)
		})
	}
}
