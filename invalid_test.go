//go:build linux

package procession_test

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
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
	"github.com/procession-go/procession/internal/testkit/enginetest"
	"github.com/procession-go/procession/messages"
)

// knowsNone asserts that an engine knows no process.
func knowsNone(t *testing.T, e *procession.Engine) {
	t.Helper()
	list, err := e.List(testkit.Within(t))
	require.NoError(t, err)
	assert.Empty(t, list)
}

func TestAnInvalidSpecIsRefusedByField(t *testing.T) {
	t.Parallel()
	e := enginetest.New(t)
	ok := func() procession.Spec {
		return procession.Spec{Command: "touch", Args: []string{filepath.Join(t.TempDir(), "started")}}
	}
	for _, test := range []struct {
		field string
		spoil func(*procession.Spec)
	}{
		{"Command", func(s *procession.Spec) { s.Command = "" }},
		{"Command", func(s *procession.Spec) { s.Command = "a\x00b" }},
		{"Args[1]", func(s *procession.Spec) { s.Args = append(s.Args, "a\x00") }},
		{"Dir", func(s *procession.Spec) { s.Dir = "/tmp\x00" }},
		{"Env", func(s *procession.Spec) { s.Env = map[string]string{"": "x"} }},
		{"Env", func(s *procession.Spec) { s.Env = map[string]string{"A=B": "x"} }},
		{"Env", func(s *procession.Spec) { s.Env = map[string]string{"A\x00": "x"} }},
		{"Env A", func(s *procession.Spec) { s.Env = map[string]string{"A": "\x00"} }},
		{"OutputLimit", func(s *procession.Spec) { s.OutputLimit = -2 }},
		{"Timeout", func(s *procession.Spec) { s.Timeout = -1 }},
		{"Grace", func(s *procession.Spec) { s.Grace = -time.Second }},
		{"StopSignal", func(s *procession.Spec) { s.StopSignal = -1 }},
		{"StopSignal", func(s *procession.Spec) { s.StopSignal = 65 }},
	} {
		spec := ok()
		test.spoil(&spec)
		id, err := e.Start(testkit.Within(t), spec)
		assert.Empty(t, id, test.field)
		assert.ErrorIs(t, err, procession.ErrInvalidSpec, test.field)
		assert.ErrorContains(t, err, test.field)
		if len(spec.Args) > 0 {
			assert.NoFileExists(t, spec.Args[0], "%s: it was started all the same", test.field)
		}
	}
	knowsNone(t, e)
	exit, _ := enginetest.Run(t, e, ok())
	assert.True(t, exit.Success(), "what is not spoiled: %v", exit)
}

func TestAFailedStartSaysWhy(t *testing.T) {
	t.Parallel()
	e := enginetest.New(t)
	dir := t.TempDir()
	file := func(name, content string, mode os.FileMode) string {
		name = filepath.Join(dir, name)
		require.NoError(t, os.WriteFile(name, []byte(content), mode))
		return name
	}
	data := file("data", "no program", 0o644)
	noInterpreter := file("script", "#!/does/not/exist\n", 0o755)
	garbage := file("garbage", "\x7fELF and no more", 0o755)
	for name, test := range map[string]struct {
		spec procession.Spec
		is   []error
		text string
	}{
		"not on PATH":       {procession.Spec{Command: "no-such-program-at-all"}, []error{exec.ErrNotFound}, "executable file not found in $PATH"},
		"missing":           {procession.Spec{Command: "/does/not/exist"}, []error{fs.ErrNotExist, syscall.ENOENT}, "no such file or directory"},
		"relative, missing": {procession.Spec{Command: "./not-here", Dir: dir}, []error{fs.ErrNotExist}, "./not-here"},
		"not executable":    {procession.Spec{Command: data}, []error{fs.ErrPermission, syscall.EACCES}, "permission denied"},
		"a directory":       {procession.Spec{Command: dir}, []error{fs.ErrPermission}, "permission denied"},
		"no interpreter":    {procession.Spec{Command: noInterpreter}, []error{fs.ErrNotExist}, noInterpreter},
		"garbage":           {procession.Spec{Command: garbage}, nil, garbage},
		"missing directory": {procession.Spec{Command: "true", Dir: "/does/not/exist"}, []error{fs.ErrNotExist}, "/does/not/exist"},
		"no directory":      {procession.Spec{Command: "true", Dir: data}, []error{syscall.ENOTDIR}, data},
		"too much":          {procession.Spec{Command: "true", Args: []string{strings.Repeat("x", 200<<10)}}, []error{syscall.E2BIG}, "too long"},
	} {
		id, err := e.Start(testkit.Within(t), test.spec)
		assert.Empty(t, id, name)
		if !assert.Error(t, err, name) {
			continue
		}
		for _, target := range append(test.is, procession.ErrStart) {
			assert.ErrorIs(t, err, target, name)
		}
		assert.ErrorContains(t, err, test.text, name)
		says, ok := strings.CutPrefix(err.Error(), `start "`+test.spec.Command+`": `)
		assert.True(t, ok, "%s: %v", name, err)
		assert.LessOrEqual(t, strings.Count(says, test.spec.Command), strings.Count(test.spec.Dir, test.spec.Command), "%s: %v: names it again", name, err)
	}
	knowsNone(t, e)
}

// A start's error is what os/exec's is, for whatever a program asks errors.Is.
func TestAStartsErrorIsOfOSExecToo(t *testing.T) {
	t.Parallel()
	allIsWell(t, helper("start-errors", t.TempDir()))
}

// helpStartErrors starts what cannot be started, in a directory that is empty and that PATH
// finds programs in.
func helpStartErrors() {
	dir := os.Args[1]
	insist(os.Chdir(dir) == nil)
	file := func(name, content string, mode os.FileMode) *os.File {
		insist(os.WriteFile(name, []byte(content), mode) == nil)
		f, err := os.OpenFile(name, os.O_RDWR, 0)
		insist(err == nil, err)
		return f
	}
	file("here", "#!/bin/sh\n", 0o755).Close()
	file("data", "no program", 0o644).Close()
	file("text", "no program", 0o755).Close()
	file("script", "#!/does/not/exist\n", 0o755).Close()
	busy := file("busy", "#!/bin/sh\n", 0o755)
	defer busy.Close()
	insist(os.Symlink("loop", "loop") == nil)
	os.Setenv("PATH", os.Getenv("PATH")+":.")
	long := strings.Repeat("x", 200<<10)

	targets := []error{exec.ErrNotFound, exec.ErrDot, fs.ErrNotExist, fs.ErrPermission, fs.ErrInvalid, errors.ErrUnsupported}
	for errno := syscall.Errno(1); errno < 140; errno++ {
		targets = append(targets, errno)
	}
	e, err := procession.New()
	insist(err == nil, err)
	ctx := backgroundWithin()
	seen := map[error]bool{}
	for name, spec := range map[string]procession.Spec{
		"in the working directory": {Command: "here"},
		"not on PATH":              {Command: "no-such-program-at-all"},
		"not executable on PATH":   {Command: "data"},
		"missing":                  {Command: "./missing"},
		"in a file":                {Command: "./data/x"},
		"not executable":           {Command: "./data"},
		"a directory":              {Command: dir},
		"no program":               {Command: "./text"},
		"no interpreter":           {Command: "./script"},
		"being written":            {Command: "./busy"},
		"a loop":                   {Command: "./loop"},
		"too long a name":          {Command: "./" + long[:5000]},
		"too long an argument":     {Command: "true", Args: []string{long}},
		"too long a variable":      {Command: "true", Env: map[string]string{"A": long}},
		"no directory":             {Command: "true", Dir: "missing"},
		"a file as directory":      {Command: "true", Dir: "data"},
	} {
		cmd := exec.Command(spec.Command, spec.Args...)
		cmd.Dir = spec.Dir
		if spec.Env != nil {
			cmd.Env = []string{"A=" + spec.Env["A"]}
		}
		theirs := cmd.Start()
		insist(theirs != nil, name, ": os/exec starts it")
		_, ours := e.Start(ctx, spec)
		insist(errors.Is(ours, procession.ErrStart), name, ": ", ours)
		for _, target := range targets {
			insist(errors.Is(ours, target) == errors.Is(theirs, target), name, ": as to ", target, ": ", ours, ", and of os/exec ", theirs)
			seen[target] = seen[target] || errors.Is(ours, target)
		}
	}
	for _, target := range []error{exec.ErrNotFound, exec.ErrDot, fs.ErrNotExist, fs.ErrPermission, syscall.ENOEXEC, syscall.E2BIG, syscall.ENOTDIR, syscall.ETXTBSY} {
		insist(seen[target], "nothing has failed with ", target)
	}
	_, err = e.Shutdown(ctx)
	insist(err == nil, err)
	os.Stdout.WriteString("all is well\n")
}

func TestManyFailedStartsAllSayWhy(t *testing.T) {
	t.Parallel()
	e := enginetest.New(t, procession.WithMaxProcesses(8))
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			for range 250 {
				id, err := e.Start(testkit.Within(t), procession.Spec{Command: "/does/not/exist"})
				if !assert.ErrorIs(t, err, fs.ErrNotExist) || !assert.Empty(t, id) {
					return
				}
			}
		})
	}
	all.Wait()
}

func TestAnUnknownIDIsErrNotFound(t *testing.T) {
	t.Parallel()
	e := enginetest.New(t)
	released := enginetest.Start(t, e, procession.Shell("true"))
	require.NoError(t, e.Release(testkit.Within(t), released))
	ctx := testkit.Within(t)
	for _, id := range []string{released, "proc_000000000000", "", "../x", "procession$1", "\x00"} {
		for name, err := range map[string]error{
			"Output":     second(e.Output(ctx, id)),
			"Read":       second(e.Read(ctx, id, procession.ReadOptions{Wait: -1})),
			"Wait":       second(e.Wait(ctx, id)),
			"Kill":       second(e.Kill(ctx, id)),
			"Release":    e.Release(ctx, id),
			"Signal":     e.Signal(ctx, id, syscall.SIGTERM),
			"Info":       second(e.Info(ctx, id)),
			"Write":      second(e.Write(ctx, id, []byte("x"))),
			"CloseStdin": e.CloseStdin(ctx, id),
			"Resize":     e.Resize(ctx, id, procession.Size{}),
			"WaitReady":  e.WaitReady(ctx, id),
		} {
			assert.ErrorIs(t, err, procession.ErrNotFound, "%s of %q", name, id)
			var refusal *messages.Error
			if assert.ErrorAs(t, err, &refusal, "%s of %q", name, id) {
				assert.Equal(t, id, refusal.ID, name)
			}
		}
	}
}

func TestAnInvalidSignalIsRefused(t *testing.T) {
	t.Parallel()
	e := enginetest.New(t)
	id := enginetest.Start(t, e, procession.Shell("sleep 1000"))
	for _, sig := range []syscall.Signal{0, -1, -9, 65, 1000} {
		assert.ErrorIs(t, e.Signal(testkit.Within(t), id, sig), procession.ErrInvalidRequest, "signal %d", sig)
	}
	assert.Equal(t, procession.Running, enginetest.Info(t, e, id).State)
}

func init() {
	helpers["few-files"] = helpFewFiles
	helpers["thrift"] = helpThrift
	helpers["start-errors"] = helpStartErrors
}

// insist ends a helper unless ok.
func insist(ok bool, what ...any) {
	if !ok {
		panic(fmt.Sprint(what...))
	}
}

// allIsWell runs a helper that checks by itself, and says at its end that all is well.
func allIsWell(t *testing.T, spec procession.Spec) {
	t.Helper()
	exit, out := enginetest.Run(t, enginetest.New(t), spec)
	assert.True(t, exit.Success(), "%v\n%s", exit, out.Combined())
	endsWith(t, out.Stdout(), "all is well\n")
}

// helpFewFiles starts processes until it runs out of file descriptors.
func helpFewFiles() {
	e, err := procession.New()
	insist(err == nil, err)
	ctx := backgroundWithin()
	first, err := e.Start(ctx, procession.Spec{Command: "true"}) // what is opened once is open
	insist(err == nil, err)
	_, err = e.Wait(ctx, first)
	insist(err == nil, err)
	_, err = e.Kill(ctx, first) // which waits until what it took is free again
	insist(err == nil, err)
	var before unix.Rlimit
	insist(unix.Getrlimit(unix.RLIMIT_NOFILE, &before) == nil)
	insist(unix.Setrlimit(unix.RLIMIT_NOFILE, &unix.Rlimit{Cur: 40, Max: before.Max}) == nil)
	// Without descendants, so that nothing outlives this program if it fails.
	sleeper := procession.Spec{Command: "sleep", Args: []string{"1000"}}
	var ids []string
	for {
		var id string
		if id, err = e.Start(ctx, sleeper); err != nil {
			break
		}
		ids = append(ids, id)
		insist(len(ids) < 40, "no end of files")
	}
	insist(errors.Is(err, procession.ErrStart) && errors.Is(err, syscall.EMFILE), err)
	for range 20 { // a failure must cost no descriptor
		_, err = e.Start(ctx, sleeper)
		insist(errors.Is(err, procession.ErrStart), err)
	}
	list, err := e.List(ctx)
	insist(err == nil && len(list) == len(ids)+1, list, err)
	insist(e.Release(ctx, ids[0]) == nil)
	_, err = e.Start(ctx, sleeper)
	insist(err == nil, "after one was released: ", err)
	report, err := e.Shutdown(ctx)
	insist(err == nil && report.Terminated == len(ids), report, err)
	os.Stdout.WriteString("all is well\n")
}

func TestOutOfFileDescriptors(t *testing.T) {
	t.Parallel()
	allIsWell(t, helper("few-files"))
}

// helpThrift checks that what was started, and what could not be, leaves no file
// descriptor, no goroutine and no thread behind.
func helpThrift() {
	ctx := backgroundWithin()
	cycle := func(n int) {
		e, err := procession.New()
		insist(err == nil, err)
		for i := range n {
			spec := procession.Shell("echo hello; exit 1")
			spec.Stdin = i%2 == 0
			if i%3 == 0 {
				spec.PTY = &procession.Size{Rows: 24, Cols: 80}
			}
			id, err := e.Start(ctx, spec)
			insist(err == nil, err)
			_, err = e.Wait(ctx, id)
			insist(err == nil, err)
			if i%2 == 1 {
				insist(e.Release(ctx, id) == nil)
			}
			_, err = e.Start(ctx, procession.Spec{Command: "/does/not/exist", Stdin: true})
			insist(errors.Is(err, fs.ErrNotExist), err)
			_, err = e.Start(ctx, procession.Spec{Command: "/does/not/exist", PTY: &procession.Size{}})
			insist(errors.Is(err, fs.ErrNotExist), err)
		}
		if n > 0 {
			list, err := e.List(ctx)
			insist(err == nil && len(list) == (n+1)/2, len(list), err)
		}
		_, err = e.Shutdown(ctx)
		insist(err == nil, err)
	}
	cycle(3)
	files, goroutines := openFiles(), settledGoroutines(0)
	cycle(40)
	for range 5 {
		cycle(0)
	}
	now := openFiles()
	insist(now <= files, "open files:", files, "then", now)
	then := settledGoroutines(goroutines)
	insist(then <= goroutines, "goroutines:", goroutines, "then", then)
	os.Stdout.WriteString("all is well\n")
}

func TestNothingIsLeftOpen(t *testing.T) {
	t.Parallel()
	allIsWell(t, helper("thrift"))
}
