//go:build amd64 || arm64

package spawn

import (
	"fmt"
	"math"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"github.com/procession-go/procession/internal/nofile"
	"github.com/procession-go/procession/internal/testkit"
)

// limit is what a /proc/PID/limits tells: the soft one and the hard one.
func limit(t testing.TB, limits, name string) string {
	t.Helper()
	for line := range strings.Lines(limits) {
		if rest, found := strings.CutPrefix(line, name+" "); found {
			return strings.Join(strings.Fields(rest)[:2], " ")
		}
	}
	require.Fail(t, "no such limit", "%s in %s", name, limits)
	return ""
}

func TestLimitsAreSetBeforeTheProgramRuns(t *testing.T) {
	f, cat := scripts(t), testkit.Program(t, "cat")
	text := output(t, f, command(cat, "/proc/self/limits"),
		Limit{unix.RLIMIT_CORE, 0, 0}, Limit{unix.RLIMIT_LOCKS, 1<<62 | 12345, 1<<63 | 67890},
		Limit{unix.RLIMIT_SIGPENDING, 17, 18}, Limit{unix.RLIMIT_STACK, 1 << 20, math.MaxUint64 >> 2})
	assert.Equal(t, "0 0", limit(t, text, "Max core file size"))
	assert.Equal(t, fmt.Sprint(uint64(1<<62|12345), uint64(1<<63|67890)), limit(t, text, "Max file locks"))
	assert.Equal(t, "17 18", limit(t, text, "Max pending signals"))
	own := osExec(t, command(cat, "/proc/self/limits"))
	for _, name := range []string{"Max processes", "Max address space", "Max open files", "Max cpu time"} {
		assert.Equal(t, limit(t, own, name), limit(t, text, name), "as os/exec's child: %s", name)
	}
	var now unix.Rlimit
	require.NoError(t, unix.Getrlimit(unix.RLIMIT_SIGPENDING, &now))
	assert.NotEqual(t, uint64(17), now.Cur, "this program's limits must stay what they were")
}

func TestALimitThatCannotBeSetIsLeftAsItIs(t *testing.T) {
	f, cat := scripts(t), testkit.Program(t, "cat")
	text := output(t, f, command(cat, "/proc/self/limits"),
		Limit{unix.RLIMIT_SIGPENDING, 2, 1}, Limit{1000, 1, 1}, Limit{unix.RLIMIT_NICE, 5, 5})
	var now unix.Rlimit
	require.NoError(t, unix.Getrlimit(unix.RLIMIT_SIGPENDING, &now))
	assert.Equal(t, fmt.Sprint(now.Cur, now.Max), limit(t, text, "Max pending signals"), "its soft part is above its hard one")
}

func TestManyLimitsCanBeSet(t *testing.T) {
	f, cat := scripts(t), testkit.Program(t, "cat")
	var limits []Limit
	for i := range uint64(200) {
		limits = append(limits, Limit{unix.RLIMIT_SIGPENDING, 500 - i, 1000 - i})
	}
	text := output(t, f, command(cat, "/proc/self/limits"), limits...)
	assert.Equal(t, "301 801", limit(t, text, "Max pending signals"))
}

// The limits on descriptors that a test of them is started with.
const (
	fewDescriptors = "ulimit -Sn 512"
	allDescriptors = `ulimit -Sn "$(ulimit -Hn)"`
)

// openFiles are the limits on descriptors of f's child and of os/exec's.
func openFiles(t *testing.T, f *Forker, limits ...Limit) (ours, others string) {
	t.Helper()
	cat := testkit.Program(t, "cat")
	ours = limit(t, output(t, f, command(cat, "/proc/self/limits"), limits...), "Max open files")
	return ours, limit(t, osExec(t, command(cat, "/proc/self/limits")), "Max open files")
}

// hardDescriptors is the hard limit on descriptors. It must be higher than the soft one
// that the test was started with, or else the runtime raises nothing.
func hardDescriptors(t *testing.T) uint64 {
	t.Helper()
	var own unix.Rlimit
	require.NoError(t, unix.Getrlimit(unix.RLIMIT_NOFILE, &own))
	if own.Max < 1024 {
		t.Skipf("the hard limit on descriptors is only %d", own.Max)
	}
	return own.Max
}

func TestAProgramHasTheLimitOnDescriptorsThatThisOneWasStartedWith(t *testing.T) {
	for _, shell := range []string{fewDescriptors, allDescriptors, "ulimit -n 600"} {
		t.Run(shell, func(t *testing.T) {
			if !(alone{shell: shell}).run(t) {
				return
			}
			bothWays(t, func(t *testing.T, f *Forker) {
				ours, others := openFiles(t, f)
				assert.Equal(t, others, ours, "as os/exec's child")
				if shell == fewDescriptors {
					assert.Equal(t, fmt.Sprint(512, hardDescriptors(t)), ours)
				}
			})
		})
	}
}

// TestAProgramHasTheLimitOnDescriptorsThatThisOneHasChosen sets it in every way there
// is, but to what package syscall has made of it: that cannot be told from no choice.
func TestAProgramHasTheLimitOnDescriptorsThatThisOneHasChosen(t *testing.T) {
	for name, set := range map[string]func(hard uint64) error{
		"lower, by syscall": func(hard uint64) error {
			return syscall.Setrlimit(syscall.RLIMIT_NOFILE, &syscall.Rlimit{Cur: 700, Max: hard})
		},
		"lower, by unix": func(hard uint64) error {
			return unix.Setrlimit(unix.RLIMIT_NOFILE, &unix.Rlimit{Cur: 700, Max: hard})
		},
		"lower, by unix.Prlimit": func(hard uint64) error {
			return unix.Prlimit(0, unix.RLIMIT_NOFILE, &unix.Rlimit{Cur: 700, Max: hard}, nil)
		},
		"as low as at first": func(hard uint64) error {
			return syscall.Setrlimit(syscall.RLIMIT_NOFILE, &syscall.Rlimit{Cur: nofile.Original, Max: hard})
		},
		"as high as can be": func(hard uint64) error {
			return syscall.Setrlimit(syscall.RLIMIT_NOFILE, &syscall.Rlimit{Cur: hard, Max: hard})
		},
		"both lower": func(hard uint64) error {
			return syscall.Setrlimit(syscall.RLIMIT_NOFILE, &syscall.Rlimit{Cur: 650, Max: 800})
		},
		"as it is": func(uint64) error { return nil },
	} {
		t.Run(name, func(t *testing.T) {
			if !(alone{shell: fewDescriptors}).run(t) {
				return
			}
			f := scripts(t)
			require.NoError(t, set(hardDescriptors(t)))
			ours, others := openFiles(t, f)
			assert.Equal(t, others, ours, "as os/exec's child")
		})
	}
}

func TestALimitOnDescriptorsThatIsAskedForComesBeforeThisOnes(t *testing.T) {
	if !(alone{shell: fewDescriptors}).run(t) {
		return
	}
	f := scripts(t)
	hard := hardDescriptors(t)
	ours, _ := openFiles(t, f, Limit{unix.RLIMIT_NOFILE, 300, hard})
	assert.Equal(t, fmt.Sprint(300, hard), ours)
	ours, _ = openFiles(t, f, Limit{unix.RLIMIT_NOFILE, 300, 400})
	assert.Equal(t, "300 400", ours)
}

func TestALimitOfThisProgramsOnDescriptorsIsNoObstacle(t *testing.T) {
	if !(alone{}).run(t) {
		return
	}
	f, cmd := scripts(t), command(testkit.Program(t, "true"))
	for _, soft := range []uint64{64, 20, 4} { // it has more open than that, by now
		require.NoError(t, syscall.Setrlimit(syscall.RLIMIT_NOFILE, &syscall.Rlimit{Cur: soft, Max: soft + 64}))
		pid, err := begin(f, &Program{Cmd: cmd, Files: quiet()})
		require.NoError(t, err, "at a limit of %d", soft)
		assert.Zero(t, ended(t, pid))
	}
}
