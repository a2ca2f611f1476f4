//go:build amd64 || arm64

package spawn

import (
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"github.com/procession-go/procession/internal/testkit"
)

// failures are programs that cannot be started, and why.
func failures(t *testing.T) map[string]failure {
	dir := t.TempDir()
	file := func(name, text string, mode os.FileMode) string {
		path := filepath.Join(dir, name)
		require.NoError(t, os.WriteFile(path, []byte(text), mode))
		return path
	}
	of := func(path string, why syscall.Errno) failure {
		return failure{program: Program{Cmd: command(path, "an argument"), Files: quiet()}, why: why}
	}
	in := func(dir string, why syscall.Errno) failure {
		f := of(self, why)
		f.program.Cmd.Dir = dir
		return f
	}
	text := file("text", "neither a script nor a program", 0o755)
	loop := filepath.Join(dir, "loop")
	require.NoError(t, os.Symlink(loop, loop))
	all := map[string]failure{
		"a missing file":             of(filepath.Join(dir, "missing"), unix.ENOENT),
		"no path":                    of("", unix.ENOENT),
		"a file in a file":           of(filepath.Join(text, "x"), unix.ENOTDIR),
		"a directory":                of(dir, unix.EACCES),
		"no permission":              of(file("data", "#!/bin/sh\n", 0o644), unix.EACCES),
		"not executable":             of(text, unix.ENOEXEC),
		"an empty file":              of(file("empty", "", 0o755), unix.ENOEXEC),
		"a missing interpreter":      of(file("script", "#!/no/such/interpreter\n", 0o755), unix.ENOENT),
		"a loop":                     of(loop, unix.ELOOP),
		"a path that is too long":    of("/"+strings.Repeat("x", 5000), unix.ENAMETOOLONG),
		"a NUL in the path":          of("a\x00b", unix.EINVAL),
		"a missing directory":        in(filepath.Join(dir, "missing"), unix.ENOENT),
		"a directory that is a file": in(text, unix.ENOTDIR),
		"a NUL in the directory":     in("a\x00b", unix.EINVAL),
	}
	f := of(self, unix.EINVAL)
	f.program.Cmd.Args = []string{"a", "b\x00c"}
	all["a NUL in an argument"] = f
	f = of(self, unix.EINVAL)
	f.program.Cmd.Env = []string{"A=b\x00c"}
	all["a NUL in the environment"] = f
	f = of(self, unix.E2BIG)
	f.program.Cmd.Args = []string{"a", strings.Repeat("x", 1<<20)}
	all["an argument that is too long"] = f
	f = of(self, unix.E2BIG)
	f.program.Cmd.Env = []string{"A=" + strings.Repeat("x", 1<<20)}
	all["a variable that is too long"] = f
	f = of(self, unix.E2BIG)
	f.program.Cmd.Args = slices.Repeat([]string{strings.Repeat("x", 100<<10)}, 80)
	all["too many arguments"] = f
	f = of(self, unix.ENOTTY)
	f.program.Cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Setctty: true}
	all["no terminal"] = f
	f = of(self, unix.EINVAL)
	f.program.Cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: 99}
	all["no signal"] = f
	f = of(self, unix.EBADF)
	f.program.Files[1] = 9999
	all["a descriptor that is not open"] = f
	f = of(self, unix.EBADF)
	f.program.Files[2] = -2
	all["a descriptor that is none"] = f
	if os.Geteuid() != 0 {
		closed := filepath.Join(dir, "closed")
		require.NoError(t, os.Mkdir(closed, 0))
		all["a directory without permission"] = in(closed, unix.EACCES)
	}
	return all
}

type failure struct {
	program Program
	why     syscall.Errno
}

func TestAFailureTellsWhyAndLeavesNothing(t *testing.T) {
	all := failures(t)
	bothWays(t, func(t *testing.T, f *Forker) {
		assert.Empty(t, output(t, f, command(testkit.Program(t, "true")))) // what there is to be is there
		for _, name := range slices.Sorted(maps.Keys(all)) {
			t.Run(name, func(t *testing.T) {
				what := all[name]
				if what.program.Files[2] == -2 && f.Refusal() != nil {
					t.Skip("package syscall means by it that there is to be none")
				}
				before := descriptorsOf("self")
				b := f.Prepare(&what.program)
				assert.Zero(t, b.PID())
				b.Start()
				require.True(t, b.Wait(-1))
				pid, err := b.Result()
				assert.Zero(t, pid)
				var told *fs.PathError
				require.ErrorAs(t, err, &told)
				assert.IsType(t, told, err, "it is not wrapped")
				assert.Equal(t, fs.PathError{Op: "fork/exec", Path: what.program.Cmd.Path, Err: what.why}, *told)
				assert.Zero(t, b.PID())
				noChild(t)
				assert.Equal(t, before, descriptorsOf("self"))
			})
		}
	})
}

func TestAFailureIsTheSameAsThatOfStartProcess(t *testing.T) {
	f := scripts(t)
	for name, what := range failures(t) {
		attr := &syscall.ProcAttr{Dir: what.program.Cmd.Dir, Env: what.program.Cmd.Env, Sys: what.program.Cmd.SysProcAttr}
		for _, fd := range what.program.Files {
			attr.Files = append(attr.Files, uintptr(fd))
		}
		if what.program.Files[2] == -2 {
			continue
		}
		_, _, theirs := syscall.StartProcess(what.program.Cmd.Path, what.program.Cmd.Args, attr)
		_, ours := begin(f, &what.program)
		assert.ErrorIs(t, ours, theirs, name)
	}
}

// TestAfterAFailureTheNextStartWorks looks for what a failure may leave where the
// descriptors of a start are kept.
func TestAfterAFailureTheNextStartWorks(t *testing.T) {
	all, echo := failures(t), testkit.Program(t, "echo")
	bothWays(t, func(t *testing.T, f *Forker) {
		for range 3 {
			for name, what := range all {
				if what.program.Files[2] == -2 && f.Refusal() != nil {
					continue
				}
				_, err := begin(f, &what.program)
				require.Error(t, err, name)
				require.Equal(t, name+"\n", output(t, f, command(echo, name)))
			}
		}
	})
	noChild(t)
}

func TestAProgramThatIsWrittenToIsBusy(t *testing.T) {
	path := filepath.Join(t.TempDir(), "it")
	copyProgram(t, self, path)
	writer, err := os.OpenFile(path, os.O_WRONLY, 0)
	require.NoError(t, err)
	bothWays(t, func(t *testing.T, f *Forker) {
		cmd := helper("report")
		cmd.Path = path
		_, err := begin(f, &Program{Cmd: cmd, Files: quiet()})
		assert.ErrorIs(t, err, unix.ETXTBSY)
	})
	require.NoError(t, writer.Close())
	bothWays(t, func(t *testing.T, f *Forker) {
		cmd := helper("report")
		cmd.Path = path
		output(t, f, cmd)
	})
}
