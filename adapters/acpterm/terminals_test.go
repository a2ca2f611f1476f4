package acpterm_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/coder/acp-go-sdk"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/procession-go/procession"
	"github.com/procession-go/procession/adapters/acpterm"
	"github.com/procession-go/procession/internal/testkit"
	"github.com/procession-go/procession/internal/testkit/enginetest"
)

func TestCommandThatEnds(t *testing.T) {
	b := newBench(t)
	id := b.create(t, shell("printf 'a line\n'; exit 3"))
	assert.Equal(t, exited(3), b.wait(t, id))
	assert.Equal(t, acp.TerminalOutputResponse{Output: "a line\n", ExitStatus: acp.Ptr(exited(3))}, b.output(t, id))
	b.kill(t, id) // is no error, and changes nothing
	assert.Equal(t, exited(3), b.wait(t, id), "after a late kill")
	b.release(t, id)
	b.unknown(t, session, id)
}

func TestExitCodeZeroIsNotNull(t *testing.T) {
	b := newBench(t)
	id := b.create(t, acp.CreateTerminalRequest{SessionId: session, Command: "true"})
	assert.Equal(t, exited(0), b.wait(t, id))
}

func TestKill(t *testing.T) {
	b := newBench(t)
	id, pid := b.sleeper(t, session)
	assert.Equal(t, acp.TerminalOutputResponse{Output: "ready\n"}, b.output(t, id), "while it runs")
	for range 2 {
		b.kill(t, id)
		require.False(t, testkit.Alive(pid), "after terminal/kill was answered")
		assert.Equal(t, signalled("SIGTERM"), b.wait(t, id))
		assert.Equal(t, acp.TerminalOutputResponse{Output: "ready\n", ExitStatus: acp.Ptr(signalled("SIGTERM"))}, b.output(t, id))
	}
	b.release(t, id)
	b.unknown(t, session, id)
}

func TestKillHearsTheLastWords(t *testing.T) {
	b := newBench(t)
	id := b.create(t, shell("trap 'echo bye; exit 7' TERM; sleep 1000 & echo ready; wait"))
	b.awaitReady(t, id)
	b.kill(t, id)
	assert.Equal(t, acp.TerminalOutputResponse{Output: "ready\nbye\n", ExitStatus: acp.Ptr(exited(7))}, b.output(t, id))
}

func TestKillOfAStubbornCommand(t *testing.T) {
	b := newBench(t, procession.WithGrace(10*time.Millisecond))
	id := b.create(t, shell("trap '' TERM; echo ready; exec sleep 1000"))
	b.awaitReady(t, id)
	b.kill(t, id)
	assert.Equal(t, signalled("SIGKILL"), b.wait(t, id))
}

func TestReleaseKills(t *testing.T) {
	eng := enginetest.New(t)
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
	assert.False(t, testkit.Alive(pid), "after terminal/release was answered")
	// The wait may have come to the engine after the release.
	if err := <-h.waited; err == nil {
		assert.Equal(t, signalled("SIGTERM"), acp.TerminalExitStatus(<-exit), "the answer of a wait during the release")
	} else {
		assert.Equal(t, notFound, code(err), "a wait during the release: %v", err)
	}
	h.waiting, h.waited = nil, nil
	b.unknown(t, session, id)
}

func TestWhatACommandSpawnedEndsWithIt(t *testing.T) {
	b := newBench(t)
	id := b.create(t, shell("sleep 1000 & echo $!; echo ready; wait"))
	b.awaitReady(t, id)
	var pid int
	_, err := fmt.Sscan(b.output(t, id).Output, &pid)
	require.NoError(t, err)
	b.kill(t, id)
	assert.False(t, testkit.Alive(pid), "what it spawned, after terminal/kill was answered")
}

func TestBothStreams(t *testing.T) {
	b := newBench(t)
	out := b.run(t, shell("echo to stdout; echo to stderr >&2")).Output
	assert.Contains(t, out, "to stdout\n")
	assert.Contains(t, out, "to stderr\n")
	assert.Len(t, out, 20)
}

func TestWhatTheCommandIsGiven(t *testing.T) {
	b := newBench(t)
	t.Setenv("ACPTERM_INHERITED", "inherited")
	t.Setenv("ACPTERM_OVERRIDDEN", "not this")
	dir, err := filepath.EvalSymlinks(t.TempDir())
	require.NoError(t, err)
	pwd, err := os.Getwd()
	require.NoError(t, err)

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
			assert.Equal(t, test.want, b.run(t, test.request).Output)
		})
	}
}

func TestRefusedCreations(t *testing.T) {
	b := newBench(t)
	dir := t.TempDir()
	plain := filepath.Join(dir, "plain")
	require.NoError(t, os.WriteFile(plain, nil, 0o644))
	loop := filepath.Join(dir, "loop")
	require.NoError(t, os.Symlink(loop, loop))
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
			_, err := b.agent.CreateTerminal(testkit.Within(t), test.request)
			require.ErrorContains(t, err, quoted(test.says))
			assert.Equal(t, test.code, code(err), "%v", err)
			if test.request.Command == "" {
				return // the SDK itself refuses it, without its name
			}
			_, direct := b.terms.CreateTerminal(testkit.Within(t), test.request)
			assert.EqualError(t, direct, err.Error(), "directly, and over the connection")
		})
	}
	_, err := b.terms.CreateTerminal(testkit.Within(t), command(""))
	assert.Equal(t, invalidParams, code(err), "no command, directly: %v", err)
	assertNone(t, b.eng)
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
		require.NoError(t, os.Chmod(dir, 0))
		r := shell("true")
		r.Cwd = &cwd
		_, err := b.agent.CreateTerminal(testkit.Within(t), r)
		assert.Equal(t, invalidParams, code(err), "%s: %v", cwd, err)
	}
}

// quoted is text as it stands within a JSON string.
func quoted(text string) string { return strings.ReplaceAll(text, `"`, `\"`) }

func TestLimitOfProcesses(t *testing.T) {
	b := newBench(t, procession.WithMaxProcesses(1))
	id, _ := b.sleeper(t, session)
	_, err := b.agent.CreateTerminal(testkit.Within(t), shell("true"))
	assert.Equal(t, internalError, code(err), "one too many: %v", err)
	assert.ErrorContains(t, err, "the most there may be")
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
		id := enginetest.Start(t, b.eng, spec)
		b.unknown(t, session, id)
		b.unknown(t, "", id)
	}
	for name, call := range b.calls(session, "") {
		err := call(testkit.Within(t))
		assert.Equal(t, invalidParams, code(err), "terminal/%s without an ID: %v", name, err)
	}
}

func TestClosedEngine(t *testing.T) {
	b := newBench(t)
	id, _ := b.sleeper(t, session)
	_, err := b.eng.Shutdown(testkit.Within(t))
	require.NoError(t, err)
	for name, call := range b.calls(session, id) {
		err := call(testkit.Within(t))
		assert.Equal(t, internalError, code(err), "terminal/%s: %v", name, err)
		assert.ErrorContains(t, err, "engine is closed", "terminal/%s", name)
	}
	_, err = b.agent.CreateTerminal(testkit.Within(t), shell("true"))
	assert.Equal(t, internalError, code(err), "terminal/create: %v", err)
	for name, end := range map[string]func() error{
		"EndSession":     func() error { return b.terms.EndSession(testkit.Within(t), session) },
		"EndAllSessions": func() error { return b.terms.EndAllSessions(testkit.Within(t)) },
	} {
		assert.ErrorIs(t, end(), procession.ErrClosed, name)
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
			created, err := b.agent.CreateTerminal(testkit.Within(t), r)
			if !assert.NoError(t, err, "terminal %d", i) {
				return
			}
			id := created.TerminalId
			var waits sync.WaitGroup
			for range 3 {
				waits.Go(func() {
					exit, err := b.agent.WaitForTerminalExit(testkit.Within(t), acp.WaitForTerminalExitRequest{SessionId: session, TerminalId: id})
					assert.NoError(t, err, "terminal %d", i)
					if i%2 == 0 {
						assert.Equal(t, acp.Ptr(i), exit.ExitCode, "terminal %d", i)
					} else {
						assert.NotNil(t, exit.Signal, "terminal %d", i)
					}
				})
			}
			calls := b.calls(session, id)
			if i%2 != 0 {
				_, err := b.eng.WaitFor(testkit.Within(t), id, anything)
				assert.NoError(t, err, "terminal %d", i)
				assert.NoError(t, calls["kill"](testkit.Within(t)), "terminal %d", i)
			}
			waits.Wait()
			out, err := b.agent.TerminalOutput(testkit.Within(t), acp.TerminalOutputRequest{SessionId: session, TerminalId: id})
			assert.NoError(t, err, "terminal %d", i)
			assert.Equal(t, fmt.Sprintf("%d\n", i), out.Output)
			assert.NotNil(t, out.ExitStatus, "terminal %d", i)
			assert.NoError(t, calls["release"](testkit.Within(t)), "terminal %d", i)
		})
	}
	all.Wait()
	assertNone(t, b.eng)
}

func TestTwoReleasesAtOnce(t *testing.T) {
	b := newBench(t)
	id, _ := b.sleeper(t, session)
	errs := make(chan error, 2)
	for range cap(errs) {
		go func() { errs <- b.calls(session, id)["release"](testkit.Within(t)) }()
	}
	done := 0
	for range cap(errs) {
		if err := <-errs; err == nil {
			done++
		} else {
			assert.Equal(t, notFound, code(err), "%v", err)
		}
	}
	assert.NotZero(t, done, "both were refused")
	b.unknown(t, session, id)
}
