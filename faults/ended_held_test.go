//go:build linux

package faults

import (
	"errors"
	"fmt"
	"math"
	"os"
	"os/exec"
	"os/signal"
	"runtime"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"github.com/procession-go/procession"
	"github.com/procession-go/procession/internal/testkit"
)

// What an ending has always done right.

// forwarders start a handler and hand the stop signal on to it, as npm does. It hears it
// twice then, by their doing.
var forwarders = []struct {
	name string
	spec func(t *testing.T) procession.Spec
}{
	{"node", func(t *testing.T) procession.Spec {
		testkit.Needs(t, "node")
		return procession.Spec{Command: "/bin/sh", Args: []string{"-c", `node -e "$0"; exit $?`, `
const child = require("child_process").spawn("bash", ["-c", process.env.H], { stdio: "inherit" });
process.on("SIGTERM", s => child.kill(s));
child.on("exit", (code, signal) => process.exit(signal ? 99 : code));`}}
	}},
	{"node without a shell", func(t *testing.T) procession.Spec {
		testkit.Needs(t, "node")
		return procession.Spec{Command: "node", Args: []string{"-e", `
const child = require("child_process").spawn("sh", ["-c", "exec bash -c \"$H\""], { stdio: "inherit" });
for (const s of ["SIGTERM", "SIGINT", "SIGHUP"]) process.on(s, () => child.kill(s));
child.on("exit", (code, signal) => process.exit(signal ? 99 : code));`}}
	}},
	{"bash", func(*testing.T) procession.Spec {
		return bash(`trap 'kill $pid; wait $pid; exit $?' TERM; bash -c "$H" & pid=$!; wait $pid`)
	}},
	{"python", func(t *testing.T) procession.Spec {
		return python(t, `
child = subprocess.Popen(["bash", "-c", os.environ["H"]])
signal.signal(signal.SIGTERM, lambda *_: child.send_signal(signal.SIGTERM))
sys.exit(child.wait())`)
	}},
}

func TestEndedBehindForwarders(t *testing.T) {
	for _, f := range forwarders {
		t.Run(f.name, func(t *testing.T) {
			spec := f.spec(t)
			row(t, 20, func(r *run) { finishes(r, spec) })
		})
	}
}

func TestEndedPipelines(t *testing.T) {
	t.Run("a handler and one that reads to the end", func(t *testing.T) {
		for _, shell := range []string{"bash", "sh"} {
			t.Run(shell, func(t *testing.T) {
				spec := procession.Spec{Command: shell, Args: []string{"-c", `bash -c "$H" | (trap '' TERM; exec cat)`}}
				row(t, 20, func(r *run) { finishes(r, spec) })
			})
		}
	})
	for _, line := range []string{
		`(echo on; exec yes) | tr a b | grep --line-buffered -v y`, `(echo on; exec yes) | head -n 2 | cat; exec sleep 1000`,
		`(echo on; exec sleep 1000) | setsid cat | cat`, `echo on; sleep 1000 | sleep 1000 | sleep 1000`,
	} {
		t.Run(line, func(t *testing.T) {
			row(t, 20, func(r *run) {
				exit := r.kill(r.startOn(procession.Shell(line)))
				assert.Equal(r, "SIGTERM", exit.Signal)
				r.nothingLeft()
			})
		})
	}
}

func TestEndedExitCodesAreKept(t *testing.T) {
	for name, spec := range map[string]func(t *testing.T) procession.Spec{
		"bash": func(*testing.T) procession.Spec { return bash(`trap 'exit 7' TERM; echo on; sleep 1000 & wait`) },
		"dash": func(*testing.T) procession.Spec {
			return procession.Shell(`trap 'exit 7' TERM; echo on; while :; do sleep 0.1; done`)
		},
		"bash, after a while": func(*testing.T) procession.Spec {
			return bash(`trap 'sleep 0.3; (sleep 0.1; exit 7); exit $?' TERM; echo on; sleep 1000 & wait`)
		},
		"python": func(t *testing.T) procession.Spec {
			return python(t, `
signal.signal(signal.SIGTERM, lambda *_: os._exit(7))
os.write(1, b"on\n")
while True:
    time.sleep(0.1)`)
		},
		"perl": func(t *testing.T) procession.Spec {
			return perl(t, `$SIG{TERM} = sub { exit 7 }; print "on\n"; sleep 1 while 1;`)
		},
	} {
		t.Run(name, func(t *testing.T) {
			spec := spec(t)
			row(t, 20, func(r *run) {
				exit := r.kill(r.startOn(spec))
				assert.Equal(r, 7, exit.Code, "%v", exit)
				assert.Equal(r, procession.CauseKilled, exit.Cause)
				r.nothingLeft()
			})
		})
	}
}

func TestEndedOutputInTheGraceIsKept(t *testing.T) {
	for name, line := range map[string]string{
		"the leader's":            `trap 'seq 3000; sleep 0.4; seq 3000; exit 0' TERM; echo on; sleep 1000 & wait`,
		"a descendant's":          `bash -c "trap 'seq 3000; sleep 0.4; seq 3000; exit 0' TERM; echo on; sleep 1000 & wait" & wait`,
		"both streams":            `trap 'seq 3000; sleep 0.4; seq 3000 >&2; seq 3000; exit 0' TERM; echo on; sleep 1000 & wait`,
		"of one that has left it": `setsid bash -c "trap 'seq 3000; sleep 0.4; seq 3000; exit 0' TERM; echo on; sleep 1000 & wait" & wait`,
	} {
		t.Run(name, func(t *testing.T) {
			row(t, 20, func(r *run) {
				id := r.startOn(bash(line))
				r.kill(id)
				out := r.output(id)
				assert.Equal(r, 6001, strings.Count(out, "\n"))
				assert.True(r, strings.HasSuffix(out, "2999\n3000\n"), "its end is lost")
				r.nothingLeft()
			})
		})
	}
}

func TestEndedStoppedHandlersFinish(t *testing.T) {
	for name, line := range map[string]string{
		"the leader":       `echo $$ >"$TOLD.pids"; exec bash -c "$H"`,
		"a descendant":     `bash -c 'echo $$ >"$TOLD.pids"; exec bash -c "$H"' & wait`,
		"one in a session": `setsid bash -c 'echo $$ >"$TOLD.pids"; exec bash -c "$H"' & wait`,
	} {
		for _, sig := range []syscall.Signal{syscall.SIGSTOP, syscall.SIGTSTP} {
			t.Run(name+", "+unix.SignalName(sig), func(t *testing.T) {
				row(t, 20, func(r *run) {
					r.mayBeLate = true
					id := r.startOn(bash(line))
					pid := r.livingPIDs()[0]
					require.NoError(r, syscall.Kill(pid, sig))
					if sig == syscall.SIGSTOP {
						require.EventuallyWithT(r, func(c *assert.CollectT) {
							assert.Equal(c, "T", stat(pid))
						}, wholeGrace, tick, "it is stopped")
					}
					r.kill(id)
					assert.Equal(r, "slept 0\n", r.said())
					r.nothingLeft()
				})
			})
		}
	}
}

func init() { helpers["tracer"] = tracer }

// tracer traces a child that is stopped, and is deaf or not.
func tracer(args []string) {
	runtime.LockOSThread()
	if args[0] == "deaf" {
		signal.Ignore(syscall.SIGTERM)
	}
	cmd := exec.Command("sleep", "1000")
	cmd.SysProcAttr = &syscall.SysProcAttr{Ptrace: true, Setsid: args[1] == "session"}
	if err := cmd.Start(); err != nil {
		fmt.Println("not traced:", err)
		return
	}
	check(os.WriteFile(os.Getenv("TOLD")+".pids", fmt.Appendln(nil, cmd.Process.Pid), 0o644))
	fmt.Println("on")
	time.Sleep(1 << 62)
}

func TestEndedTracedMembersEnd(t *testing.T) {
	for _, tracer := range []string{"deaf", "hears"} {
		for _, where := range []string{"group", "session"} {
			t.Run(tracer+", "+where, func(t *testing.T) {
				row(t, 10, func(r *run) {
					spec := procession.Spec{Command: os.Args[0], Args: []string{tracer, where}, Grace: time.Second,
						Env: map[string]string{helperVar: "tracer", "GORACE": "atexit_sleep_ms=0"}}
					id := r.startOn(spec)
					pid := r.livingPIDs()[0]
					require.EventuallyWithT(r, func(c *assert.CollectT) {
						assert.Equal(c, "t", stat(pid))
					}, wholeGrace, tick, "it is traced")
					exit := r.kill(id)
					assert.Equal(r, map[string]string{"deaf": "SIGKILL", "hears": "SIGTERM"}[tracer], exit.Signal)
					r.nothingLeft()
				})
			})
		}
	}
}

// A stop while processes are being started ends those that were meant, and those only.
func TestEndedAStopDuringStarts(t *testing.T) {
	for name, ask := range map[string]func(r *run) error{
		"KillAll":    func(r *run) error { _, err := r.eng.KillAll(r.ctx, procession.Selector{}); return err },
		"ReleaseAll": func(r *run) error { _, err := r.eng.ReleaseAll(r.ctx, procession.Selector{}); return err },
		"Shutdown":   func(r *run) error { _, err := r.eng.Shutdown(r.ctx); return err },
	} {
		t.Run(name, func(t *testing.T) {
			row(t, 5, func(r *run) {
				r.alone()
				var starts sync.WaitGroup
				for range 8 {
					starts.Go(func() {
						spec := procession.Shell(`setsid sleep 1000 & exec sleep 1000`)
						spec.Env = map[string]string{"TOLD": r.told}
						_, err := r.eng.Start(r.ctx, spec)
						if !errors.Is(err, procession.ErrClosed) {
							assert.NoError(r, err)
						}
					})
				}
				time.Sleep(time.Duration(r.n%20) * 200 * time.Microsecond)
				r.within(wholeGrace, name, func() error { return ask(r) })
				starts.Wait()
				if name != "Shutdown" {
					_, err := r.eng.KillAll(r.ctx, procession.Selector{})
					require.NoError(r, err)
				}
				r.nothingLeft()
			})
		})
	}
}

func TestEndedTheShortestGrace(t *testing.T) {
	for name, line := range map[string]string{
		"deaf":         `trap '' TERM; echo on; exec sleep 1000`,
		"deaf session": `setsid sh -c "trap '' TERM; echo on; exec sleep 1000" & wait`,
		"a handler":    `exec bash -c "$H"`,
		"it ends":      `echo on; exec sleep 1000`,
	} {
		t.Run(name, func(t *testing.T) {
			row(t, 20, func(r *run) {
				spec := procession.Shell(line)
				spec.Grace = time.Nanosecond
				exit := r.kill(r.startOn(spec))
				assert.Contains(r, []string{"SIGTERM", "SIGKILL"}, exit.Signal)
				assert.Empty(r, r.said(), "the handler has had a grace")
				r.nothingLeft()
			})
		})
	}
}

func TestEndedTheLongestGrace(t *testing.T) {
	for name, line := range map[string]string{"a handler": `exec bash -c "$LINE"`, "a wrapper": `bash -c "$LINE" & wait`, "a session": `setsid bash -c "$LINE" & wait`} {
		t.Run(name, func(t *testing.T) {
			spec := procession.Shell(line)
			spec.Grace, spec.Env = math.MaxInt64, map[string]string{"LINE": looping("TERM")}
			row(t, 20, func(r *run) { finishes(r, spec) })
		})
	}
	t.Run("deaf, until a Shutdown with less", func(t *testing.T) {
		row(t, 20, func(r *run) {
			r.alone(procession.WithGrace(300 * time.Millisecond))
			spec := procession.Shell(`(setsid sh -c "trap '' TERM; echo on; exec sleep 1000") & wait`)
			spec.Grace = math.MaxInt64
			id := r.startOn(spec)
			killed := meanwhile(100*time.Millisecond, func() { r.kill(id) })
			begun := time.Now()
			r.shutdown()
			assert.GreaterOrEqual(r, time.Since(begun), 200*time.Millisecond)
			<-killed
			r.nothingLeft()
		})
	})
}

func TestEndedByEveryStopSignal(t *testing.T) {
	for _, sig := range []syscall.Signal{syscall.SIGHUP, syscall.SIGINT, syscall.SIGQUIT, syscall.SIGTERM, syscall.SIGUSR1, syscall.SIGUSR2, syscall.SIGWINCH, syscall.SIGALRM, 40} {
		t.Run(fmt.Sprintf("%v, handled", sig), func(t *testing.T) {
			spec := bash(looping(fmt.Sprint(int(sig))))
			spec.StopSignal = sig
			row(t, 20, func(r *run) { finishes(r, spec) })
		})
	}
	for sig, name := range map[syscall.Signal]string{
		syscall.SIGHUP: "SIGHUP", syscall.SIGINT: "SIGINT", syscall.SIGQUIT: "SIGQUIT", syscall.SIGTERM: "SIGTERM", syscall.SIGUSR1: "SIGUSR1",
		syscall.SIGUSR2: "SIGUSR2", syscall.SIGKILL: "SIGKILL", syscall.SIGPIPE: "SIGPIPE",
	} {
		t.Run(name, func(t *testing.T) {
			row(t, 20, func(r *run) {
				spec := bash(`setsid sleep 1000 & ulimit -c 0; echo on; exec sleep 1000`)
				if sig == syscall.SIGINT || sig == syscall.SIGQUIT { // which a shell has its background ignore
					spec = procession.Shell(`ulimit -c 0; echo on; exec sleep 1000`) // bash ignores SIGQUIT itself
				}
				spec.StopSignal = sig
				assert.Equal(r, name, r.kill(r.startOn(spec)).Signal)
				r.nothingLeft()
			})
		})
	}
	for name, sig := range map[string]syscall.Signal{"SIGWINCH": syscall.SIGWINCH, "SIGURG": syscall.SIGURG, "SIGCHLD": syscall.SIGCHLD, "SIGCONT": syscall.SIGCONT} {
		t.Run(name+", which nobody minds", func(t *testing.T) {
			row(t, 20, func(r *run) {
				spec := bash(`setsid sleep 1000 & echo on; exec sleep 1000`)
				spec.StopSignal, spec.Grace = sig, 500*time.Millisecond
				id, begun := r.startOn(spec), time.Now()
				assert.Equal(r, "SIGKILL", r.kill(id).Signal)
				assert.GreaterOrEqual(r, time.Since(begun), spec.Grace)
				r.nothingLeft()
			})
		})
	}
}
