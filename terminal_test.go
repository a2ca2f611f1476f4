//go:build linux

package procession_test

import (
	"fmt"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/procession-go/procession"
	"github.com/procession-go/procession/internal/testkit"
	"github.com/procession-go/procession/internal/testkit/enginetest"
)

// onTerminal is a line that a shell runs on a terminal.
func onTerminal(line string) procession.Spec {
	return procession.Spec{Command: "bash", Args: []string{"--norc", "--noprofile", "-c", line}, PTY: &procession.Size{Rows: 24, Cols: 80}}
}

func TestTerminalHasTheSizeAskedForAndIsTheControllingOne(t *testing.T) {
	e := enginetest.New(t)
	exit, out := enginetest.Run(t, e, onTerminal(`tty; stty size; echo $TERM; tty </dev/tty; echo to stderr >&2; [ "$(ps -o sid= -p $$ | tr -d ' ')" = $$ ] && echo own session`))
	lines := strings.Split(out.Stdout(), "\r\n")
	assert.True(t, exit.Success(), "%v %q", exit, lines)
	assert.Regexp(t, "^/dev/", lines[0])
	assert.Equal(t, []string{"24 80", "xterm-256color", "/dev/tty", "to stderr", "own session", ""}, lines[1:])
	assert.Empty(t, out.Stderr(), "a terminal is one stream")
}

func TestTerminalKeepsAGivenTERM(t *testing.T) {
	e := enginetest.New(t)
	spec := onTerminal(`echo "[$TERM]"`)
	spec.Env = map[string]string{"TERM": "dumb"}
	_, out := enginetest.Run(t, e, spec)
	assert.Equal(t, "[dumb]\r\n", out.Stdout())
}

func TestResizeIsSeenAsSIGWINCH(t *testing.T) {
	e := enginetest.New(t)
	var id string
	for _, size := range []procession.Size{{Rows: 50, Cols: 132}, {Rows: 1, Cols: 1}} {
		id = enginetest.Start(t, e, onTerminal(`trap 'stty size' WINCH; echo ready; while :; do sleep 0.05; done`))
		findLine(t, e, id, "ready")
		require.NoError(t, e.Resize(testkit.Within(t), id, size))
		findLine(t, e, id, fmt.Sprintf("^%d %d$", size.Rows, size.Cols))
	}
	pipe := enginetest.Start(t, e, procession.Spec{Command: "sleep", Args: []string{"1000"}})
	assert.ErrorIs(t, e.Resize(testkit.Within(t), pipe, procession.Size{}), procession.ErrNoTerminal)
	enginetest.Kill(t, e, id)
	assert.ErrorIs(t, e.Resize(testkit.Within(t), id, procession.Size{}), procession.ErrExited)
}

func TestControlCInterruptsWhatIsInTheForeground(t *testing.T) {
	e := enginetest.New(t)
	id := enginetest.Start(t, e, onTerminal(`trap 'echo interrupted; exit 3' INT; echo ready; while :; do sleep 0.05; done`))
	findLine(t, e, id, "ready")
	write(t, e, id, "\x03")
	exit := enginetest.Wait(t, e, id)
	assert.Equal(t, 3, exit.Code)
	assert.Equal(t, procession.CauseExited, exit.Cause)
	endsWith(t, enginetest.Output(t, e, id).Stdout(), "interrupted\r\n")
}

func TestTerminalOutputIsCompleteAfterExit(t *testing.T) {
	e := enginetest.New(t)
	for range 20 {
		exit, out := enginetest.Run(t, e, onTerminal(`for i in $(seq 2000); do echo line $i; done; echo the end`))
		require.True(t, exit.Success(), exit)
		require.True(t, endsWith(t, out.Stdout(), "line 2000\r\nthe end\r\n"))
	}
}

// A program that closes its descriptors before it exits ends its output (EIO),
// but the terminal must not be hung up under it.
func TestTerminalIsNotHungUpBeforeTheLeaderExits(t *testing.T) {
	e := enginetest.New(t)
	exit, out := enginetest.Run(t, e, onTerminal(`trap 'exit 9' HUP; echo bye; exec <&- >&- 2>&-; sleep 0.3; exit 4`))
	assert.Equal(t, 4, exit.Code, exit)
	assert.Equal(t, "bye\r\n", out.Stdout())
}

func TestEndOfFileOnATerminal(t *testing.T) {
	for _, text := range []string{"one\ntwo\n", "no end of line"} {
		e := enginetest.New(t)
		id := enginetest.Start(t, e, onTerminal(`stty -echo; echo ready; wc -c`))
		findLine(t, e, id, "ready")
		write(t, e, id, text)
		require.NoError(t, e.CloseStdin(testkit.Within(t), id))
		enginetest.Wait(t, e, id)
		assert.Equal(t, fmt.Sprintf("ready\r\n%d\r\n", len(text)), enginetest.Output(t, e, id).Stdout(), "%q", text)
	}
}

func TestAnInteractiveShellEndsWithinItsGrace(t *testing.T) {
	e := enginetest.New(t)
	id := enginetest.Start(t, e, procession.Spec{Command: "bash", Args: []string{"--norc", "--noprofile", "-i"}, PTY: &procession.Size{Rows: 24, Cols: 80}})
	findLine(t, e, id, `[$#] $`)
	exit := enginetest.Kill(t, e, id)
	assert.Equal(t, "SIGHUP", exit.Signal)
	assert.Equal(t, procession.CauseKilled, exit.Cause)
}

func TestSignalGoesToTheGroup(t *testing.T) {
	e := enginetest.New(t)
	id := enginetest.Start(t, e, procession.Shell(
		`trap 'echo leader; wait; exit' USR1; sh -c 'trap "echo member; exit" USR1; echo ready; while :; do sleep 0.05; done' & wait`))
	findLine(t, e, id, "ready")
	require.NoError(t, e.Signal(testkit.Within(t), id, syscall.SIGUSR1))
	enginetest.Wait(t, e, id)
	out := enginetest.Output(t, e, id).Stdout()
	assert.Contains(t, out, "leader\n")
	assert.Contains(t, out, "member\n")
	err := e.Signal(testkit.Within(t), id, syscall.SIGUSR1)
	assert.ErrorIs(t, err, procession.ErrExited)
	assert.ErrorContains(t, err, "ended")
}

func TestPlainTextIsWhatAPersonSees(t *testing.T) {
	e := enginetest.New(t)
	_, out := enginetest.Run(t, e, onTerminal(`for i in $(seq 4000); do printf '\r\033[32m%d%%\033[0m' $((i / 40)); done; echo; echo "done"`))
	assert.Equal(t, "100%\ndone\n", procession.PlainText(out.Segments))
	assert.GreaterOrEqual(t, len(out.Stdout()), 4000*10, "bytes in the log")
}
