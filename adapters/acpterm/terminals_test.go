package acpterm_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/coder/acp-go-sdk"

	"github.com/procession-go/procession"
	"github.com/procession-go/procession/adapters/acpterm"
)

func TestCommandThatEnds(t *testing.T) {
	b := newBench(t)
	id := b.create(t, shell("printf 'a line\n'; exit 3"))
	exit := b.wait(t, id)
	if exit.ExitCode == nil || *exit.ExitCode != 3 || exit.Signal != nil {
		t.Errorf("wait_for_exit: %v %v, want code 3 and no signal", exit.ExitCode, exit.Signal)
	}
	out := b.output(t, id)
	if out.Output != "a line\n" || out.Truncated {
		t.Errorf("output: %q, truncated %v", out.Output, out.Truncated)
	}
	if s := out.ExitStatus; s == nil || s.ExitCode == nil || *s.ExitCode != 3 || s.Signal != nil {
		t.Errorf("exit status in the output: %+v, want code 3 and no signal", s)
	}
	b.kill(t, id) // is no error, and changes nothing
	if exit := b.wait(t, id); exit.ExitCode == nil || *exit.ExitCode != 3 {
		t.Errorf("exit code after a late kill: %v, want 3", exit.ExitCode)
	}
	b.release(t, id)
	b.unknown(t, session, id)
}

func TestExitCodeZeroIsNotNull(t *testing.T) {
	b := newBench(t)
	id := b.create(t, acp.CreateTerminalRequest{SessionId: session, Command: "true"})
	if exit := b.wait(t, id); exit.ExitCode == nil || *exit.ExitCode != 0 {
		t.Errorf("exit code %v, want 0", exit.ExitCode)
	}
}

func TestKill(t *testing.T) {
	b := newBench(t)
	id, pid := b.sleeper(t, session)
	if out := b.output(t, id); out.Output != "ready\n" || out.ExitStatus != nil {
		t.Errorf("while it runs: output %q, exit status %+v, want none", out.Output, out.ExitStatus)
	}
	for range 2 {
		b.kill(t, id)
		if alive(pid) {
			t.Fatal("it is alive after terminal/kill was answered")
		}
		exit := b.wait(t, id)
		if exit.ExitCode != nil || exit.Signal == nil || *exit.Signal != "SIGTERM" {
			t.Errorf("wait_for_exit: %v %v, want no code and SIGTERM", exit.ExitCode, exit.Signal)
		}
		out := b.output(t, id)
		if s := out.ExitStatus; out.Output != "ready\n" || s == nil || s.ExitCode != nil || s.Signal == nil || *s.Signal != "SIGTERM" {
			t.Errorf("output after kill: %q, %+v", out.Output, s)
		}
	}
	b.release(t, id)
	b.unknown(t, session, id)
}

func TestKillHearsTheLastWords(t *testing.T) {
	b := newBench(t)
	id := b.create(t, shell("trap 'echo bye; exit 7' TERM; sleep 1000 & echo ready; wait"))
	b.awaitReady(t, id)
	b.kill(t, id)
	out := b.output(t, id)
	if out.Output != "ready\nbye\n" || *out.ExitStatus.ExitCode != 7 || out.ExitStatus.Signal != nil {
		t.Errorf("output %q, exit status %+v, want code 7", out.Output, out.ExitStatus)
	}
}

func TestKillOfAStubbornCommand(t *testing.T) {
	b := newBench(t, procession.WithGrace(10*time.Millisecond))
	id := b.create(t, shell("trap '' TERM; echo ready; exec sleep 1000"))
	b.awaitReady(t, id)
	b.kill(t, id)
	if exit := b.wait(t, id); exit.Signal == nil || *exit.Signal != "SIGKILL" || exit.ExitCode != nil {
		t.Errorf("exit %v %v, want SIGKILL", exit.ExitCode, exit.Signal)
	}
}

func TestReleaseKills(t *testing.T) {
	eng := newEngine(t)
	h := &host{Terminals: acpterm.New(eng), waiting: make(chan struct{}), waited: make(chan error, 1)}
	b := &bench{eng, h.Terminals, connect(t, h)}
	id, pid := b.sleeper(t, session)

	exit := make(chan acp.WaitForTerminalExitResponse, 1)
	go func() {
		e, _ := b.agent.WaitForTerminalExit(context.Background(), acp.WaitForTerminalExitRequest{SessionId: session, TerminalId: id})
		exit <- e
	}()
	<-h.waiting
	b.release(t, id)
	if alive(pid) {
		t.Error("it is alive after terminal/release was answered")
	}
	// The wait may have come to the engine after the release.
	if err := <-h.waited; err == nil {
		if e := <-exit; e.Signal == nil || *e.Signal != "SIGTERM" {
			t.Errorf("a wait during the release was answered with %v %v", e.ExitCode, e.Signal)
		}
	} else if code(err) != notFound {
		t.Errorf("a wait during the release: %v", err)
	}
	h.waiting, h.waited = nil, nil
	b.unknown(t, session, id)
}

func TestWhatACommandSpawnedEndsWithIt(t *testing.T) {
	b := newBench(t)
	id := b.create(t, shell("sleep 1000 & echo $!; echo ready; wait"))
	b.awaitReady(t, id)
	var pid int
	if _, err := fmt.Sscan(b.output(t, id).Output, &pid); err != nil {
		t.Fatal(err)
	}
	b.kill(t, id)
	if alive(pid) {
		t.Error("what it spawned is alive after terminal/kill was answered")
	}
}

func TestBothStreams(t *testing.T) {
	b := newBench(t)
	out := b.run(t, shell("echo to stdout; echo to stderr >&2")).Output
	if !strings.Contains(out, "to stdout\n") || !strings.Contains(out, "to stderr\n") || len(out) != 20 {
		t.Errorf("output %q", out)
	}
}

func TestWhatTheCommandIsGiven(t *testing.T) {
	b := newBench(t)
	t.Setenv("ACPTERM_INHERITED", "inherited")
	t.Setenv("ACPTERM_OVERRIDDEN", "not this")
	dir := must(filepath.EvalSymlinks(t.TempDir()))(t)
	pwd, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}

	tests := []struct {
		name    string
		request acp.CreateTerminalRequest
		want    string
	}{
		{"no arguments", acp.CreateTerminalRequest{Command: "pwd"}, pwd + "\n"},
		{"a directory", acp.CreateTerminalRequest{Command: "pwd", Cwd: &dir}, dir + "\n"},
		{"arguments that a shell would touch", acp.CreateTerminalRequest{Command: "printf", Args: []string{"%s|", "a b", "$HOME", "*", ""}},
			"a b|$HOME|*||"},
		{"an environment", acp.CreateTerminalRequest{
			Command: "sh", Args: []string{"-c", `printf %s "$ACPTERM_INHERITED,$ACPTERM_OVERRIDDEN,$ACPTERM_TWICE,$ACPTERM_EMPTY"`},
			Env: []acp.EnvVariable{
				{Name: "ACPTERM_OVERRIDDEN", Value: "two words"}, {Name: "ACPTERM_TWICE", Value: "1"},
				{Name: "ACPTERM_TWICE", Value: "2"}, {Name: "ACPTERM_EMPTY"},
			}}, "inherited,two words,2,"},
		{"an empty standard input", acp.CreateTerminalRequest{Command: "cat"}, ""},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			test.request.SessionId = session
			if out := b.run(t, test.request); out.Output != test.want {
				t.Errorf("output %q, want %q", out.Output, test.want)
			}
		})
	}
}

func TestRefusedCreations(t *testing.T) {
	b := newBench(t)
	dir := t.TempDir()
	plain := filepath.Join(dir, "plain")
	if err := os.WriteFile(plain, nil, 0o644); err != nil {
		t.Fatal(err)
	}
	loop := filepath.Join(dir, "loop")
	if err := os.Symlink(loop, loop); err != nil {
		t.Fatal(err)
	}
	command := func(c string, args ...string) acp.CreateTerminalRequest {
		return acp.CreateTerminalRequest{SessionId: session, Command: c, Args: args}
	}
	in := func(dir string) acp.CreateTerminalRequest {
		r := command("true")
		r.Cwd = &dir
		return r
	}
	env := func(name, value string) acp.CreateTerminalRequest {
		r := command("true")
		r.Env = []acp.EnvVariable{{Name: name, Value: value}}
		return r
	}
	negative := command("true")
	negative.OutputByteLimit = acp.Ptr(-1)

	tests := []struct {
		name    string
		request acp.CreateTerminalRequest
		code    int
		says    string
	}{
		{"no command", command(""), invalidParams, "command"},
		{"a NUL in the command", command("tr\x00ue"), invalidParams, "NUL"},
		{"a NUL in an argument", command("true", "a\x00"), invalidParams, "NUL"},
		{"an unknown program", command("no-such-program-here"), notFound, "no-such-program-here"},
		{"an unknown path", command(filepath.Join(dir, "nothing")), notFound, "nothing"},
		{"a shell line", command("echo hello | cat"), notFound, "a shell line needs a shell"},
		{"a file that is no program", command(plain), invalidParams, "permission denied"},
		{"a relative directory", in("tmp"), invalidParams, `cwd "tmp" is not an absolute path`},
		{"an empty directory", in(""), invalidParams, "absolute"},
		{"an unknown directory", in(filepath.Join(dir, "nowhere")), notFound, "nowhere"},
		{"a directory that is a file", in(plain), invalidParams, "plain"},
		{"a directory below a file", in(filepath.Join(plain, "below")), invalidParams, "below"},
		{"a directory that leads to itself", in(loop), invalidParams, "loop"},
		{"a directory with too long a name", in("/" + strings.Repeat("x", 300)), invalidParams, "xxx"},
		{"a program below a file", command(filepath.Join(plain, "below")), invalidParams, "below"},
		{"an empty name in the environment", env("", "x"), invalidParams, "Env"},
		{"a bad name in the environment", env("A=B", "x"), invalidParams, "A=B"},
		{"a NUL in the environment", env("A", "\x00"), invalidParams, "NUL"},
		{"a negative limit", negative, invalidParams, "outputByteLimit -1 is negative"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			_, err := b.agent.CreateTerminal(within(t), test.request)
			if err == nil || code(err) != test.code || !strings.Contains(err.Error(), quoted(test.says)) {
				t.Errorf("%v, want %d and %q", err, test.code, test.says)
			}
			if test.request.Command == "" {
				return // the SDK itself refuses it, without its name
			}
			_, direct := b.terms.CreateTerminal(within(t), test.request)
			if direct == nil || direct.Error() != err.Error() {
				t.Errorf("over the connection %v, directly %v", err, direct)
			}
		})
	}
	if _, err := b.terms.CreateTerminal(within(t), command("")); code(err) != invalidParams {
		t.Errorf("no command, directly: %v", err)
	}
	if list := must(b.eng.List(within(t)))(t); len(list) != 0 {
		t.Errorf("something was started: %+v", list)
	}
}

// A directory in which its user may not be. Root may be anywhere, see
// TestCannotStart.
func TestADirectoryThatCannotBeSearched(t *testing.T) {
	if os.Geteuid() == 0 {
		t.Skip("root searches any directory")
	}
	b := newBench(t)
	dir := t.TempDir()
	for _, cwd := range []string{dir, filepath.Join(dir, "below")} {
		if err := os.Chmod(dir, 0); err != nil {
			t.Fatal(err)
		}
		r := shell("true")
		r.Cwd = &cwd
		if _, err := b.agent.CreateTerminal(within(t), r); code(err) != invalidParams {
			t.Errorf("%s: %v", cwd, err)
		}
	}
}

// quoted is text as it stands within a JSON string.
func quoted(text string) string { return strings.ReplaceAll(text, `"`, `\"`) }

func TestLimitOfProcesses(t *testing.T) {
	b := newBench(t, procession.WithMaxProcesses(1))
	id, _ := b.sleeper(t, session)
	_, err := b.agent.CreateTerminal(within(t), shell("true"))
	if code(err) != internalError || !strings.Contains(err.Error(), "the most there may be") {
		t.Errorf("one too many: %v", err)
	}
	b.release(t, id)
	b.run(t, shell("true")) // there is room again
}

func TestUnknownTerminals(t *testing.T) {
	b := newBench(t)
	b.unknown(t, session, "proc_000000000000")
	b.unknown(t, session, "\x00")
	// A process of the program's own is none of the agent's business.
	for _, labels := range []map[string]string{nil, {acpterm.LabelSession: string(session)}} {
		spec := procession.Spec{Command: "sleep", Args: []string{"1000"}, Labels: labels}
		id := must(b.eng.Start(within(t), spec))(t)
		b.unknown(t, session, id)
		b.unknown(t, "", id)
	}
	for name, call := range b.calls(session, "") {
		if err := call(within(t)); code(err) != invalidParams {
			t.Errorf("terminal/%s without an ID: %v", name, err)
		}
	}
}

func TestClosedEngine(t *testing.T) {
	b := newBench(t)
	id, _ := b.sleeper(t, session)
	must(b.eng.Shutdown(within(t)))(t)
	for name, call := range b.calls(session, id) {
		if err := call(within(t)); code(err) != internalError || !strings.Contains(err.Error(), "engine is closed") {
			t.Errorf("terminal/%s: %v", name, err)
		}
	}
	if _, err := b.agent.CreateTerminal(within(t), shell("true")); code(err) != internalError {
		t.Errorf("terminal/create: %v", err)
	}
	for name, end := range map[string]func() error{
		"EndSession":     func() error { return b.terms.EndSession(within(t), session) },
		"EndAllSessions": func() error { return b.terms.EndAllSessions(within(t)) },
	} {
		if err := end(); !errors.Is(err, procession.ErrClosed) {
			t.Errorf("%s: %v, want ErrClosed", name, err)
		}
	}
}

func TestManyTerminalsAtOnce(t *testing.T) {
	b := newBench(t)
	var all sync.WaitGroup
	for i := range 40 {
		all.Go(func() {
			r := shell(fmt.Sprintf("echo %d; exec sleep 1000", i))
			if i%2 == 0 {
				r = shell(fmt.Sprintf("echo %d; exit %d", i, i))
			}
			created, err := b.agent.CreateTerminal(within(t), r)
			if err != nil {
				t.Error(err)
				return
			}
			id := created.TerminalId
			var waits sync.WaitGroup
			for range 3 {
				waits.Go(func() {
					exit, err := b.agent.WaitForTerminalExit(within(t), acp.WaitForTerminalExitRequest{SessionId: session, TerminalId: id})
					switch {
					case err != nil:
						t.Errorf("terminal %d: %v", i, err)
					case i%2 == 0 && (exit.ExitCode == nil || *exit.ExitCode != i), i%2 != 0 && exit.Signal == nil:
						t.Errorf("terminal %d: %v %v", i, exit.ExitCode, exit.Signal)
					}
				})
			}
			calls := b.calls(session, id)
			if i%2 != 0 {
				if _, err := b.eng.WaitFor(within(t), id, anything); err != nil {
					t.Error(err)
				}
				if err := calls["kill"](within(t)); err != nil {
					t.Error(err)
				}
			}
			waits.Wait()
			out, err := b.agent.TerminalOutput(within(t), acp.TerminalOutputRequest{SessionId: session, TerminalId: id})
			if want := fmt.Sprintf("%d\n", i); err != nil || out.Output != want || out.ExitStatus == nil {
				t.Errorf("terminal %d: output %q, %v", i, out.Output, err)
			}
			if err := calls["release"](within(t)); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	if list := must(b.eng.List(within(t)))(t); len(list) != 0 {
		t.Errorf("%d processes are left", len(list))
	}
}

func TestTwoReleasesAtOnce(t *testing.T) {
	b := newBench(t)
	id, _ := b.sleeper(t, session)
	errs := make(chan error, 2)
	for range cap(errs) {
		go func() { errs <- b.calls(session, id)["release"](within(t)) }()
	}
	done := 0
	for range cap(errs) {
		switch err := <-errs; {
		case err == nil:
			done++
		case code(err) != notFound:
			t.Error(err)
		}
	}
	if done == 0 {
		t.Error("both were refused")
	}
	b.unknown(t, session, id)
}
