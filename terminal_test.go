//go:build linux

package procession_test

import (
	"errors"
	"fmt"
	"regexp"
	"strings"
	"syscall"
	"testing"

	"github.com/procession-go/procession"
)

func onTerminal(line string) procession.Spec {
	return procession.Spec{Command: "bash", Args: []string{"--norc", "--noprofile", "-c", line}, PTY: &procession.Size{Rows: 24, Cols: 80}}
}

func TestTerminalHasTheSizeAskedForAndIsTheControllingOne(t *testing.T) {
	e := newEngine(t)
	exit, out := run(t, e, onTerminal(`tty; stty size; echo $TERM; tty </dev/tty; echo to stderr >&2; [ "$(ps -o sid= -p $$ | tr -d ' ')" = $$ ] && echo own session`))
	lines := strings.Split(out.Stdout(), "\r\n")
	if !exit.Success() || len(lines) != 7 || !strings.HasPrefix(lines[0], "/dev/") ||
		lines[1] != "24 80" || lines[2] != "xterm-256color" || lines[3] != "/dev/tty" || lines[4] != "to stderr" || lines[5] != "own session" {
		t.Errorf("%v %q", exit, lines)
	}
	if out.Stderr() != "" {
		t.Errorf("a terminal is one stream, and there is %q on the other", out.Stderr())
	}
}

func TestTerminalKeepsAGivenTERM(t *testing.T) {
	e := newEngine(t)
	spec := onTerminal(`echo "[$TERM]"`)
	spec.Env = map[string]string{"TERM": "dumb"}
	if _, out := run(t, e, spec); out.Stdout() != "[dumb]\r\n" {
		t.Errorf("%q", out.Stdout())
	}
}

func TestResizeIsSeenAsSIGWINCH(t *testing.T) {
	e := newEngine(t)
	var id string
	for _, size := range []procession.Size{{Rows: 50, Cols: 132}, {Rows: 1, Cols: 1}} {
		id = start(t, e, onTerminal(`trap 'stty size' WINCH; echo ready; while :; do sleep 0.05; done`))
		must(e.WaitFor(within(t), id, regexp.MustCompile("ready")))(t)
		if err := e.Resize(within(t), id, size); err != nil {
			t.Fatal(err)
		}
		must(e.WaitFor(within(t), id, regexp.MustCompile(fmt.Sprintf("^%d %d$", size.Rows, size.Cols))))(t)
	}
	pipe := start(t, e, procession.Spec{Command: "sleep", Args: []string{"1000"}})
	if err := e.Resize(within(t), pipe, procession.Size{}); !errors.Is(err, procession.ErrNoTerminal) {
		t.Error(err)
	}
	must(e.Kill(within(t), id))(t)
	if err := e.Resize(within(t), id, procession.Size{}); !errors.Is(err, procession.ErrExited) {
		t.Error(err)
	}
}

func TestControlCInterruptsWhatIsInTheForeground(t *testing.T) {
	e := newEngine(t)
	id := start(t, e, onTerminal(`trap 'echo interrupted; exit 3' INT; echo ready; while :; do sleep 0.05; done`))
	must(e.WaitFor(within(t), id, regexp.MustCompile("ready")))(t)
	must(e.Write(within(t), id, []byte{3}))(t)
	if exit := must(e.Wait(within(t), id))(t); exit.Code != 3 || exit.Cause != procession.CauseExited {
		t.Errorf("%+v", exit)
	}
	if out := must(e.Output(within(t), id))(t); !strings.HasSuffix(out.Stdout(), "interrupted\r\n") {
		t.Errorf("%q", out.Stdout())
	}
}

func TestTerminalOutputIsCompleteAfterExit(t *testing.T) {
	e := newEngine(t)
	for range 20 {
		exit, out := run(t, e, onTerminal(`for i in $(seq 2000); do echo line $i; done; echo the end`))
		if !exit.Success() || !strings.HasSuffix(out.Stdout(), "line 2000\r\nthe end\r\n") {
			t.Fatalf("%v …%q", exit, tail(out.Stdout()))
		}
	}
}

// A program that closes its descriptors before it exits ends its output (EIO),
// but the terminal must not be hung up under it.
func TestTerminalIsNotHungUpBeforeTheLeaderExits(t *testing.T) {
	e := newEngine(t)
	exit, out := run(t, e, onTerminal(`trap 'exit 9' HUP; echo bye; exec <&- >&- 2>&-; sleep 0.3; exit 4`))
	if exit.Code != 4 || out.Stdout() != "bye\r\n" {
		t.Errorf("%v %q", exit, out.Stdout())
	}
}

func tail(s string) string { return s[max(0, len(s)-60):] }

func TestEndOfFileOnATerminal(t *testing.T) {
	for _, text := range []string{"one\ntwo\n", "no end of line"} {
		e := newEngine(t)
		id := start(t, e, onTerminal(`stty -echo; echo ready; wc -c`))
		must(e.WaitFor(within(t), id, regexp.MustCompile("ready")))(t)
		must(e.Write(within(t), id, []byte(text)))(t)
		if err := e.CloseStdin(within(t), id); err != nil {
			t.Fatal(err)
		}
		must(e.Wait(within(t), id))(t)
		if out := must(e.Output(within(t), id))(t); out.Stdout() != fmt.Sprintf("ready\r\n%d\r\n", len(text)) {
			t.Errorf("%q: %q", text, out.Stdout())
		}
	}
}

func TestAnInteractiveShellEndsWithinItsGrace(t *testing.T) {
	e := newEngine(t)
	id := start(t, e, procession.Spec{Command: "bash", Args: []string{"--norc", "--noprofile", "-i"}, PTY: &procession.Size{Rows: 24, Cols: 80}})
	must(e.WaitFor(within(t), id, regexp.MustCompile(`[$#] $`)))(t)
	exit := must(e.Kill(within(t), id))(t)
	if exit.Signal != "SIGHUP" || exit.Cause != procession.CauseKilled {
		t.Errorf("%+v", exit)
	}
}

func TestSignalGoesToTheGroup(t *testing.T) {
	e := newEngine(t)
	id := start(t, e, procession.Shell(
		`trap 'echo leader; wait; exit' USR1; sh -c 'trap "echo member; exit" USR1; echo ready; while :; do sleep 0.05; done' & wait`))
	must(e.WaitFor(within(t), id, regexp.MustCompile("ready")))(t)
	if err := e.Signal(within(t), id, syscall.SIGUSR1); err != nil {
		t.Fatal(err)
	}
	must(e.Wait(within(t), id))(t)
	out := must(e.Output(within(t), id))(t).Stdout()
	if !strings.Contains(out, "leader\n") || !strings.Contains(out, "member\n") {
		t.Errorf("%q", out)
	}
	err := e.Signal(within(t), id, syscall.SIGUSR1)
	if !errors.Is(err, procession.ErrExited) || !strings.Contains(err.Error(), "ended") {
		t.Error(err)
	}
}

func TestPlainTextIsWhatAPersonSees(t *testing.T) {
	e := newEngine(t)
	_, out := run(t, e, onTerminal(`for i in $(seq 4000); do printf '\r\033[32m%d%%\033[0m' $((i / 40)); done; echo; echo "done"`))
	if got := procession.PlainText(out.Segments); got != "100%\ndone\n" {
		t.Errorf("%q", got)
	}
	if raw := out.Stdout(); len(raw) < 4000*10 {
		t.Errorf("the log has only %d bytes", len(raw))
	}
}
