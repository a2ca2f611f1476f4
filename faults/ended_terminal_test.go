//go:build linux

package faults

import (
	"regexp"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/procession-go/procession"
	"github.com/procession-go/procession/internal/testkit"
)

// On a terminal SIGHUP is for those who ignore the stop signal, as interactive shells do.
// Whoever handles the stop signal has the grace. What is in the foreground must not lose
// its leader, though: then the kernel hangs it up (tty_ioctl(4), when a session ends).

var screen = &procession.Size{Rows: 24, Cols: 80}

// looping is a shell that handles a signal, and has nobody else in its group for long.
func looping(signal string) string {
	return `trap '` + cleanUp + `; exit 0' ` + signal + `; echo on; while :; do sleep 0.1; done`
}

const handlerNode = `
const { spawnSync } = require("child_process"), fs = require("fs");
process.on(process.argv[1], () => {
	const s = spawnSync("sleep", ["0.5"]).status;
	fs.appendFileSync(process.env.TOLD, "slept " + s + "\n");
	process.exit(0);
});
setInterval(() => {}, 1000);
console.log("on");`

var onATerminal = []struct {
	name   string
	signal syscall.Signal
	spec   func(t *testing.T) procession.Spec
}{
	{"bash", 0, func(*testing.T) procession.Spec { return bash(looping("TERM")) }},
	{"dash", 0, func(*testing.T) procession.Spec { return procession.Shell(looping("TERM")) }},
	{"bash under a wrapper that waits", 0, func(*testing.T) procession.Spec { return bash(`trap 'wait; exit 0' TERM; bash -c "$H" & wait`) }},
	{"bash in a session", 0, func(*testing.T) procession.Spec { return procession.Shell(`setsid bash -c "$H" & wait`) }},
	{"bash, SIGINT", syscall.SIGINT, func(*testing.T) procession.Spec { return bash(looping("INT")) }},
	{"bash, SIGQUIT", syscall.SIGQUIT, func(*testing.T) procession.Spec { return bash(looping("QUIT")) }},
	{"bash, SIGHUP", syscall.SIGHUP, func(*testing.T) procession.Spec { return bash(looping("HUP")) }},
	{"node", 0, func(t *testing.T) procession.Spec { return node(t, "SIGTERM") }},
	{"node, SIGINT", syscall.SIGINT, func(t *testing.T) procession.Spec { return node(t, "SIGINT") }},
	{"python", 0, handlers[2].spec},
	{"perl", 0, handlers[3].spec},
	{"an interactive bash with a trap", 0, func(*testing.T) procession.Spec {
		return procession.Spec{Command: "bash", Args: []string{"--norc", "--noprofile", "-i", "-c", looping("TERM")}}
	}},
}

func node(t *testing.T, signal string) procession.Spec {
	t.Helper()
	testkit.Needs(t, "node")
	return procession.Spec{Command: "node", Args: []string{"-e", handlerNode, signal}}
}

func TestEndedHandlersOnATerminalFinish(t *testing.T) {
	for _, p := range onATerminal {
		t.Run(p.name, func(t *testing.T) {
			spec := p.spec(t)
			spec.PTY, spec.StopSignal = screen, p.signal
			row(t, 20, func(r *run) {
				r.mayBeLate = true
				exit := r.kill(r.startOn(spec))
				assert.Equal(r, "slept 0\n", r.said(), "%v", exit)
				r.nothingLeft()
			})
		})
	}
}

func TestEndedInteractiveShellsOnATerminalEndAtOnce(t *testing.T) {
	prompt := regexp.MustCompile(`PROMPT$`)
	interactive := []string{"--norc", "--noprofile", "-i"}
	for _, s := range []struct {
		name, command string
		args          []string
		line          string
	}{
		{"bash", "bash", interactive, ""},
		{"dash", "dash", []string{"-i"}, ""},
		{"bash with a job", "bash", interactive, "sleep 1000 & echo on\n"},
		{"bash with one in the foreground", "bash", interactive, "echo on; sleep 1000\n"},
		{"bash in bash", "bash", interactive, "bash --norc --noprofile -i -c 'echo on; read x'\n"},
		{"a shell that ignores it", "bash", []string{"-c", `trap '' TERM; echo PROMPT; echo on; read x`}, ""},
	} {
		t.Run(s.name, func(t *testing.T) {
			testkit.Needs(t, s.command)
			row(t, 20, func(r *run) {
				id := r.start(procession.Spec{Command: s.command, Args: s.args, PTY: screen, Env: map[string]string{"PS1": "PROMPT"}})
				_, err := r.eng.WaitFor(r.ctx, id, regexp.MustCompile("PROMPT"))
				require.NoError(r, err)
				if s.line != "" {
					_, err := r.eng.WaitFor(r.ctx, id, prompt)
					require.NoError(r, err)
					_, err = r.eng.Write(r.ctx, id, []byte(s.line))
					require.NoError(r, err)
					_, err = r.eng.WaitFor(r.ctx, id, on)
					require.NoError(r, err)
				}
				r.mayBeLate = s.line != "" // it may be between its prompt and its job, and handle the signal
				r.within(rowGrace/4, "Kill", func() error {
					_, err := r.eng.Kill(r.ctx, id)
					return err
				})
				r.nothingLeft()
			})
		})
	}
}

// One that ignores the stop signal and handles SIGHUP has the grace for that.
func TestEndedAHandlerOfTheHangUpFinishes(t *testing.T) {
	for _, shell := range []string{"bash", "sh"} {
		t.Run(shell, func(t *testing.T) {
			row(t, 20, func(r *run) {
				id := r.startOn(procession.Spec{Command: shell, Args: []string{"-c", `trap '' TERM; ` + looping("HUP")}, PTY: screen})
				r.kill(id)
				assert.Equal(r, "slept 0\n", r.said())
				r.nothingLeft()
			})
		})
	}
}

// Who handles the stop signal, and not SIGHUP, has the whole grace. The rest, who can take
// it, are hung up in the middle.
func TestEndedWhoIsHungUpInTheMiddle(t *testing.T) {
	const grace = 3 * time.Second
	for _, shell := range []string{"bash", "sh"} {
		for _, c := range []struct {
			name, trap  string
			said        string
			from, until time.Duration
		}{
			{"a long clean-up", `trap 'sleep 2.2; echo done >>"$TOLD"; exit 0' TERM`, "done\n", 2 * time.Second, grace},
			{"it goes on", `trap 'echo heard >>"$TOLD"' TERM`, "heard\n", grace, grace * 2},
			{"it goes on until it is hung up", `trap 'echo heard >>"$TOLD"' TERM; trap 'echo hung up >>"$TOLD"; exit 0' HUP`, "heard\nhung up\n", grace / 2, grace},
		} {
			t.Run(shell+", "+c.name, func(t *testing.T) {
				row(t, 20, func(r *run) {
					id := r.startOn(procession.Spec{Command: shell, PTY: screen, Grace: grace, Args: []string{"-c", c.trap + `; echo on; while :; do sleep 0.1; done`}})
					begun := time.Now()
					exit := r.kill(id)
					assert.Equal(r, c.said, r.said())
					assert.GreaterOrEqual(r, time.Since(begun), c.from)
					assert.Less(r, time.Since(begun), c.until)
					assert.Equal(r, c.until > grace, exit.Signal == "SIGKILL", "%v", exit)
					r.nothingLeft()
				})
			})
		}
	}
}
