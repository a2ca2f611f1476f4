//go:build linux

package procession_test

import (
	"context"
	"fmt"
	"os"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/procession-go/procession"
	"github.com/procession-go/procession/internal/testkit"
	"github.com/procession-go/procession/internal/testkit/enginetest"
	"github.com/procession-go/procession/messages"
)

func TestOutputThatWasCutSaysSo(t *testing.T) {
	t.Parallel()
	e := enginetest.New(t)
	leaving := func(s procession.Spec) procession.Spec { s.LeaveDescendants = true; return s }
	brief := func(s procession.Spec) procession.Spec { s.Grace = 300 * time.Millisecond; return s }
	for name, test := range map[string]struct {
		spec procession.Spec
		cut  bool
	}{
		"nobody holds it":                   {procession.Shell("echo hi"), false},
		"somebody holds it":                 {procession.Shell("echo hi; sleep 1000 &"), true},
		"in a session of its own":           {procession.Shell("echo hi; setsid sleep 1000 &"), true},
		"standard error alone":              {procession.Shell("echo hi; sleep 1000 >/dev/null &"), true},
		"somebody writes beyond the grace":  {brief(procession.Shell("echo hi; (while :; do echo more; sleep 0.01; done) &")), true},
		"somebody is to live on":            {leaving(procession.Shell("echo hi; sleep 1000 &")), true},
		"somebody lives on and has closed":  {leaving(procession.Shell("echo hi; sleep 1000 >/dev/null 2>&1 &")), false},
		"it was closed":                     {procession.Shell("echo hi; sleep 1000 >/dev/null 2>&1 &"), false},
		"it was closed before the silence":  {procession.Shell("echo hi; sleep 0.1 &"), false},
		"on a terminal, which was hung up":  {onTerminal("echo hi; sleep 1000 &"), false},
		"the leader has closed it long ago": {procession.Shell("echo hi; exec >&- 2>&-; sleep 0.3"), false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			exit, out := enginetest.Run(t, e, test.spec)
			assert.Equal(t, test.cut, exit.OutputCut)
			assert.True(t, exit.Success(), exit)
			assert.Contains(t, out.Stdout(), "hi")
			assert.Equal(t, exit, *out.Exit)
		})
	}
}

// What a Kill ends is heard to its end, unless a stranger holds the pipe.
func TestOutputOfWhatIsKilledIsCutByAStrangerOnly(t *testing.T) {
	t.Parallel()
	e := enginetest.New(t)
	for _, held := range []bool{false, true} {
		spec := procession.Shell("(trap '' TERM; exec sleep 1000) & exec sleep 1000")
		spec.Grace = 300 * time.Millisecond
		id := enginetest.Start(t, e, spec)
		if held {
			pipe, err := os.OpenFile(fmt.Sprintf("/proc/%d/fd/1", enginetest.Info(t, e, id).PID), os.O_WRONLY, 0)
			require.NoError(t, err)
			defer pipe.Close()
		}
		exit := enginetest.Kill(t, e, id)
		assert.Equal(t, held, exit.OutputCut)
	}
}

func TestEveryIncarnationTellsWhetherItsOutputWasCut(t *testing.T) {
	t.Parallel()
	e := enginetest.New(t)
	ctx, cancel := context.WithCancel(testkit.Within(t))
	defer cancel()
	events := e.Events(ctx)
	spec := counting(t, "1) sleep 1000 & exit 1;; 2) exit 1;; *) sleep 1000 & exit 0;;")
	spec.Restart = quick
	id := enginetest.Start(t, e, spec)
	require.True(t, enginetest.Wait(t, e, id).OutputCut)
	var told []bool
	for event := range events {
		if exited, ok := event.(*messages.ProcessExited); ok {
			if told = append(told, exited.Exit.OutputCut); exited.Final {
				break
			}
		}
	}
	assert.Equal(t, []bool{true, false, true}, told)
	var kept []bool
	for _, incarnation := range enginetest.Info(t, e, id).Incarnations {
		kept = append(kept, incarnation.Exit.OutputCut)
	}
	assert.Equal(t, told, kept, "as Info tells it")
}
