//go:build linux

package actors_test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"github.com/procession-go/procession"
	"github.com/procession-go/procession/internal/testkit"
	"github.com/procession-go/procession/internal/testkit/enginetest"
	"github.com/procession-go/procession/internal/testkit/program"
)

func TestStartReturnsOnceTheProgramRuns(t *testing.T) {
	t.Parallel()
	e := enginetest.New(t)
	id := enginetest.Start(t, e, procession.Spec{Command: "sleep", Args: []string{"1000"}})
	i := enginetest.Info(t, e, id)
	assert.Equal(t, procession.Running, i.State)
	require.Positive(t, i.PID)
	assert.True(t, testkit.Alive(i.PID), "it is not there after Start")
	group, err := syscall.Getpgid(i.PID)
	require.NoError(t, err)
	assert.Equal(t, i.PID, group, "its process group is not its own")
}

// The leader of each incarnation leads a session, and so its group, which it cannot
// leave.
func TestEveryLeaderLeadsASession(t *testing.T) {
	e := enginetest.New(t)
	for _, spec := range []procession.Spec{
		procession.Shell(`ps -o sid=,pgid= -p $$; exit 1`),
		{Command: "sh", Args: []string{"-c", `ps -o sid=,pgid= -p $$; exit 1`}, PTY: &procession.Size{Rows: 24, Cols: 80}},
	} {
		spec.Restart = procession.Policy{When: procession.OnFailure, MaxRestarts: 2, MinBackoff: time.Millisecond}
		id := enginetest.Start(t, e, spec)
		enginetest.Wait(t, e, id)
		require.Equal(t, 2, enginetest.Info(t, e, id).Restarts)
		out := enginetest.Output(t, e, id)
		lines := strings.Split(strings.TrimSpace(out.Stdout()), "\n")
		require.Len(t, lines, 3)
		own, err := unix.Getsid(0)
		require.NoError(t, err)
		for _, line := range lines {
			fields := strings.Fields(line)
			require.Equal(t, fields[0], fields[1], "its group is its session's: %s", line)
			require.NotEqual(t, strconv.Itoa(own), fields[0], "its session is not the engine's")
		}
	}
}

func TestExitCodeIsReported(t *testing.T) {
	t.Parallel()
	e := enginetest.New(t)
	for _, code := range []int{0, 1, 3, 127, 255} {
		begin := time.Now()
		exit, out := enginetest.Run(t, e, procession.Shell(fmt.Sprintf("exit %d", code)))
		assert.Equal(t, code, exit.Code)
		assert.Empty(t, exit.Signal)
		assert.Equal(t, procession.CauseExited, exit.Cause)
		assert.Equal(t, code == 0, exit.Success())
		assert.WithinRange(t, exit.Time, begin, time.Now())
		assert.Equal(t, &exit, out.Exit, "Output says something else than Wait")
	}
}

func TestUsageIsReported(t *testing.T) {
	t.Parallel()
	exit, _ := enginetest.Run(t, enginetest.New(t), procession.Shell("i=0; while [ $i -lt 100000 ]; do i=$((i+1)); done"))
	assert.Positive(t, exit.UserTime)
	assert.LessOrEqual(t, exit.UserTime, time.Minute)
	assert.GreaterOrEqual(t, exit.SystemTime, time.Duration(0))
	assert.GreaterOrEqual(t, exit.MaxRSS, int64(100<<10), "bytes of the largest resident set of a shell")
	assert.Zero(t, exit.MaxRSS%1024, "bytes that make no whole KiB")
}

func environment(out procession.Output) map[string]string {
	env := map[string]string{}
	for line := range strings.Lines(out.Stdout()) {
		name, value, _ := strings.Cut(strings.TrimSuffix(line, "\n"), "=")
		env[name] = value
	}
	return env
}

func TestEnvIsAddedAndOverrides(t *testing.T) {
	t.Setenv("PROCESSION_TEST_A", "inherited")
	t.Setenv("PROCESSION_TEST_B", "inherited")
	e := enginetest.New(t, procession.WithID("env-"+t.Name()))
	spec := program.Spec("environ")
	spec.Env["PROCESSION_TEST_B"] = "given=this"
	spec.Env["PROCESSION_TEST_C"] = ""
	spec.Env["PROCESSION_ID"] = "forged"
	spec.Env["PROCESSION_ENGINE"] = "forged"
	id := enginetest.Start(t, e, spec)
	enginetest.Wait(t, e, id)
	env := environment(enginetest.Output(t, e, id))
	assert.Subset(t, env, map[string]string{
		"PROCESSION_TEST_A": "inherited", "PROCESSION_TEST_B": "given=this", "PROCESSION_TEST_C": "",
		"PROCESSION_ENGINE": "env-" + t.Name(), "PROCESSION_ID": id,
	})
}

func TestClearEnvLeavesTheSpecsEnvAndTheMarks(t *testing.T) {
	t.Parallel()
	spec := program.Spec("environ")
	spec.ClearEnv = true
	_, out := enginetest.Run(t, enginetest.New(t), spec)
	env := environment(out)
	delete(env, "GOCOVERDIR") // the test binary's own, if it measures coverage
	for _, name := range []string{program.Variable, "PROCESSION_ENGINE", "PROCESSION_ID"} {
		assert.Contains(t, env, name)
		delete(env, name)
	}
	assert.Empty(t, env, "it has more than its own")
}

func TestDir(t *testing.T) {
	t.Parallel()
	e := enginetest.New(t)
	dir, err := filepath.EvalSymlinks(t.TempDir())
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(filepath.Join(dir, "here"), []byte("#!/bin/sh\npwd -P; echo $PWD\n"), 0o755))
	exit, out := enginetest.Run(t, e, procession.Spec{Command: "./here", Dir: dir})
	assert.True(t, exit.Success(), "%v: %s", exit, out.Combined())
	assert.Equal(t, dir+"\n"+dir+"\n", out.Stdout())
	here, err := os.Getwd()
	require.NoError(t, err)
	_, out = enginetest.Run(t, e, procession.Shell("pwd -P"))
	assert.Equal(t, here, strings.TrimSpace(out.Stdout()), "where it runs without Dir")
}

// As os/exec does: the environment of the process is no place to look for it.
func TestTheProgramIsLookedUpOnTheEnginesPATH(t *testing.T) {
	dir := t.TempDir()
	spec := procession.Spec{Command: "a-program-of-this-test", Env: map[string]string{"PATH": dir}}
	require.NoError(t, os.WriteFile(filepath.Join(dir, spec.Command), []byte("#!/bin/sh\necho \"PATH=$PATH\"\n"), 0o755))
	e := enginetest.New(t)
	_, err := e.Start(testkit.Within(t), spec)
	assert.ErrorIs(t, err, exec.ErrNotFound, "on the PATH of Env")
	assert.ErrorIs(t, err, procession.ErrStart, "on the PATH of Env")
	t.Setenv("PATH", dir)
	spec.Env["PATH"] = "/does/not/exist"
	for _, spec.ClearEnv = range []bool{false, true} {
		exit, out := enginetest.Run(t, e, spec)
		assert.True(t, exit.Success(), "ClearEnv %v: %v: %s", spec.ClearEnv, exit, out.Combined())
		assert.Equal(t, "PATH=/does/not/exist\n", out.Stdout(), "ClearEnv %v", spec.ClearEnv)
	}
}
