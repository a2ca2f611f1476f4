//go:build amd64 || arm64

package spawn

import (
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"github.com/procession-go/procession/internal/testkit"
)

// What a program sees when it begins.

func TestAProgramHasExactlyItsArguments(t *testing.T) {
	bothWays(t, func(t *testing.T, f *Forker) {
		for _, args := range [][]string{
			{"report"},
			{""},
			{"another name", "", "a b", "ü\n\t", "\xff\xfe", "-x", strings.Repeat("long", 10_000)},
			slices.Repeat([]string{"many"}, 5_000),
		} {
			cmd := helper("report")
			cmd.Args = args
			reported(t, output(t, f, cmd)).Args.equal(t, args)
		}
		cmd := helper("report")
		cmd.Args = nil
		reported(t, output(t, f, cmd)).Args.equal(t, []string{self}) // without any it has its path
	})
}

func TestAProgramHasExactlyItsEnvironment(t *testing.T) {
	bothWays(t, func(t *testing.T, f *Forker) {
		cmd := helper("report")
		cmd.Env = append(cmd.Env, "B=2", "A=1", "A=twice", "EMPTY=", "no equals sign", "=", "LONG="+strings.Repeat("x", 100_000), "Ü=\xff")
		reported(t, output(t, f, cmd)).Env.equal(t, cmd.Env)
	})
}

func TestAProgramWithoutAnEnvironmentHasNone(t *testing.T) {
	bothWays(t, func(t *testing.T, f *Forker) {
		assert.Empty(t, output(t, f, command(testkit.Program(t, "cat"), "/proc/self/environ")))
	})
}

func TestAProgramHasThisOnesEnvironmentIfNoneIsSet(t *testing.T) {
	t.Setenv(helperVariable, "report")
	bothWays(t, func(t *testing.T, f *Forker) {
		cmd := helper("report")
		cmd.Env = nil
		assert.ElementsMatch(t, os.Environ(), reported(t, output(t, f, cmd)).Env.all())
	})
}

func TestAProgramIsInItsDirectory(t *testing.T) {
	here, err := os.Getwd()
	require.NoError(t, err)
	dir, err := filepath.EvalSymlinks(t.TempDir())
	require.NoError(t, err)
	bothWays(t, func(t *testing.T, f *Forker) {
		cmd := helper("report")
		assert.Equal(t, here, reported(t, output(t, f, cmd)).Dir)
		cmd.Dir = dir
		assert.Equal(t, dir, reported(t, output(t, f, cmd)).Dir)
		cmd.Dir = "/proc/self/fd/.."
		assert.Regexp(t, `^/proc/\d+$`, reported(t, output(t, f, cmd)).Dir)
	})
	now, err := os.Getwd()
	require.NoError(t, err)
	assert.Equal(t, here, now, "this program's directory must stay what it was")
}

func TestARelativePathIsOfTheProgramsDirectory(t *testing.T) {
	dir := t.TempDir()
	require.NoError(t, os.Mkdir(filepath.Join(dir, "below"), 0o755))
	require.NoError(t, os.Symlink(self, filepath.Join(dir, "below", "it")))
	bothWays(t, func(t *testing.T, f *Forker) {
		cmd := helper("report")
		cmd.Path, cmd.Dir = "below/it", dir
		reported(t, output(t, f, cmd)).Args.equal(t, cmd.Args)
		cmd.Path, cmd.Dir = "../below/it", filepath.Join(dir, "below")
		reported(t, output(t, f, cmd)).Args.equal(t, cmd.Args)
		cmd.Path, cmd.Dir = "below/it", ""
		_, err := begin(f, &Program{Cmd: cmd, Files: quiet()})
		assert.ErrorIs(t, err, unix.ENOENT)
	})
}

func TestAProgramHasDescriptors0To2AndNoOther(t *testing.T) {
	inherited, err := unix.Open("/dev/zero", unix.O_RDONLY, 0) // by whoever copies descriptors
	require.NoError(t, err)
	defer unix.Close(inherited)
	zero, err := unix.Open("/dev/zero", unix.O_RDONLY|unix.O_CLOEXEC, 0)
	require.NoError(t, err)
	defer unix.Close(zero)
	bothWays(t, func(t *testing.T, f *Forker) {
		r, w := newPipe(t)
		pid := born(t, f, &Program{Cmd: helper("report"), Files: [3]int{zero, w, null()}})
		unix.Close(w)
		text, err := readAll(r)
		require.NoError(t, err)
		assert.Zero(t, ended(t, pid))
		got := reported(t, text).Descriptors
		assert.Equal(t, "/dev/zero", got[0])
		assert.Contains(t, got[1], "pipe:")
		assert.Equal(t, "/dev/null", got[2])
		if f.Refusal() == nil {
			assert.Len(t, got, 3, "%v", got)
		} else {
			assert.Contains(t, got, inherited, "the plain way leaves what is not close-on-exec")
			assert.NotContains(t, got, zero)
		}
	})
}

// TestDescriptorsMayHaveAnyNumber has them low (so that they are to change places),
// equal and high, some close-on-exec and some not.
func TestDescriptorsMayHaveAnyNumber(t *testing.T) {
	if !(alone{}).run(t) {
		return
	}
	r, w := newPipe(t)
	zero, err := unix.Open("/dev/zero", unix.O_RDWR|unix.O_CLOEXEC, 0)
	require.NoError(t, err)
	var limit unix.Rlimit
	require.NoError(t, unix.Getrlimit(unix.RLIMIT_NOFILE, &limit))
	high := int(min(limit.Cur, 1<<16)) - 100 // package syscall needs some that are higher
	require.NoError(t, unix.Dup3(w, high, 0))
	require.NoError(t, unix.Dup3(null(), high-1, unix.O_CLOEXEC))
	require.NoError(t, unix.Dup3(zero, high-2, 0))
	require.NoError(t, unix.Dup3(zero, 0, 0))
	highest := high + 99
	require.NoError(t, unix.Dup3(w, highest, 0))
	kept, err := unix.FcntlInt(1, unix.F_DUPFD_CLOEXEC, 100)
	require.NoError(t, err)
	bothWays(t, func(t *testing.T, f *Forker) {
		for _, files := range [][3]int{
			{0, 1, null()}, {1, 0, 0}, {0, 0, 1}, {1, 1, 1}, {1, high, 1}, {2, 1, 0},
			{high - 2, high, high - 1}, {high, high, high}, {null(), high, 0}, {zero, null(), w}, {0, highest, highest},
		} {
			if f.Refusal() != nil && slices.Contains(files[:], highest) {
				continue
			}
			t.Run(fmt.Sprint(files), func(t *testing.T) {
				require.NoError(t, unix.Dup3(w, 1, 0)) // and nothing is printed as long as it is that
				ours, want, to := descriptorsOf("self"), [3]string{}, ""
				for i, fd := range files {
					want[i] = ours[fd]
					if strings.HasPrefix(want[i], "pipe:") && fd != 2 {
						to = fmt.Sprint(i)
					}
				}
				pid, err := begin(f, &Program{Cmd: helper("report to", to), Files: files})
				require.NoError(t, unix.Dup3(kept, 1, 0))
				require.NoError(t, err)
				assert.Zero(t, ended(t, pid))
				require.NoError(t, r.SetReadDeadline(time.Now().Add(patience)))
				text := make([]byte, 1<<16)
				n, err := r.Read(text)
				require.NoError(t, err)
				got := reported(t, string(text[:n])).Descriptors
				assert.Equal(t, want, [3]string{got[0], got[1], got[2]})
				if f.Refusal() == nil {
					assert.Len(t, got, 3, "%v", got)
				}
			})
		}
	})
}

func init() {
	helpers["report to"] = func() {
		fd := map[string]int{"0": 0, "1": 1, "2": 2}[os.Args[1]]
		os.Stdout = os.NewFile(uintptr(fd), "report")
		helpers["report"]()
	}
}

// TestAProgramHasNoSignalBlockedAndIgnoresWhatThisOneIgnores looks at signals as a
// program finds them that has no runtime.
func TestAProgramHasNoSignalBlockedAndIgnoresWhatThisOneIgnores(t *testing.T) {
	cat := testkit.Program(t, "cat")
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, unix.SIGUSR1, unix.SIGTERM)
	defer signal.Stop(signals)
	for _, ignored := range []bool{false, true} {
		if ignored {
			signal.Ignore(unix.SIGUSR2)
			defer signal.Reset(unix.SIGUSR2)
		}
		bothWays(t, func(t *testing.T, f *Forker) {
			status := output(t, f, command(cat, "/proc/self/status"))
			assert.Equal(t, "0000000000000000", statusLine(t, status, "SigBlk"))
			assert.Equal(t, "0000000000000000", statusLine(t, status, "SigCgt"))
			assert.Equal(t, "0000000000000000", statusLine(t, status, "SigPnd"))
			assert.Equal(t, "0000000000000000", statusLine(t, status, "ShdPnd"))
			theirs := osExec(t, command(cat, "/proc/self/status"))
			assert.Equal(t, statusLine(t, theirs, "SigIgn"), statusLine(t, status, "SigIgn"), "as os/exec's child")
		})
	}
}

func TestASetuidProgramHasItsPrivileges(t *testing.T) {
	const variable = "SPAWN_TEST_SETUID"
	if os.Getenv(variable) == "" {
		root(t)
		path := filepath.Join(worldDir(t), "it")
		copyProgram(t, self, path)
		require.NoError(t, os.Chmod(path, 0o755|os.ModeSetuid))
		t.Setenv(variable, path)
	}
	if !(alone{prepare: asNobody}).run(t) {
		return
	}
	bothWays(t, func(t *testing.T, f *Forker) {
		cmd := helper("report")
		cmd.Path = os.Getenv(variable)
		got := reported(t, output(t, f, cmd))
		if other := reported(t, osExec(t, cmd)); other.EUID != 0 {
			t.Skip("no program is setuid where temporary files are")
		}
		assert.Equal(t, [2]int{nobody, 0}, [2]int{got.UID, got.EUID})
	})
}

func TestAProgramIsAChildOfThisOne(t *testing.T) {
	bothWays(t, func(t *testing.T, f *Forker) {
		r, w := newPipe(t)
		pid := born(t, f, &Program{Cmd: helper("report"), Files: [3]int{null(), w, 2}})
		unix.Close(w)
		text, err := readAll(r)
		require.NoError(t, err)
		assert.Zero(t, ended(t, pid))
		got := reported(t, text)
		assert.Equal(t, [2]int{pid, os.Getpid()}, [2]int{got.PID, got.Parent})
	})
}

func TestTheEndOfAProgramIsToldByItsStatus(t *testing.T) {
	sh := testkit.Program(t, "sh")
	bothWays(t, func(t *testing.T, f *Forker) {
		status := ended(t, born(t, f, &Program{Cmd: command(sh, "-c", "exit 7"), Files: quiet()}))
		assert.Equal(t, 7, status.ExitStatus())
		status = ended(t, born(t, f, &Program{Cmd: command(sh, "-c", "kill -9 $$"), Files: quiet()}))
		assert.Equal(t, syscall.SIGKILL, status.Signal())
	})
}
