//go:build linux

package faults

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/procession-go/procession"
	"github.com/procession-go/procession/internal/testkit"
	"github.com/procession-go/procession/internal/testkit/enginetest"
)

// Programs that do what daemons do to be left alone: they leave the group and the
// session, their parent ends, they overwrite or clear their environment, they may not be
// looked at for a while. Each is started by a leader that ends or stays, and must be gone
// when its process is, however that ends.

// ends are the ways in which a process ends that has a daemon.
var ends = []struct {
	name string
	end  func(t *testing.T, eng *procession.Engine, id string)
}{
	{"by itself", func(t *testing.T, eng *procession.Engine, id string) {
		require.NoError(t, eng.CloseStdin(testkit.Within(t), id))
		enginetest.Wait(t, eng, id)
	}},
	{"Kill", func(t *testing.T, eng *procession.Engine, id string) {
		enginetest.Kill(t, eng, id)
	}},
	{"Release", func(t *testing.T, eng *procession.Engine, id string) {
		require.NoError(t, eng.Release(testkit.Within(t), id))
	}},
	{"Shutdown", func(t *testing.T, eng *procession.Engine, _ string) {
		_, err := eng.Shutdown(testkit.Within(t))
		require.NoError(t, err)
	}},
}

func TestDaemonsEndWithTheirProcess(t *testing.T) {
	rounds := 1
	if *slow {
		rounds = 2
	}
	for _, d := range daemons {
		t.Run(d.name, func(t *testing.T) {
			d.needs(t)
			for _, e := range ends {
				t.Run(e.name, func(t *testing.T) {
					t.Parallel()
					for range rounds {
						eng := enginetest.New(t)
						id, pids := d.start(t, eng)
						e.end(t, eng, id)
						endWithin(t, 5*time.Second, pids...)
					}
				})
			}
		})
	}
}

// after is what a daemon's leader does when it is there: it stays until its input ends.
const after = `read line`

// start starts a leader with its daemon, and returns when that is one.
func (d *daemon) start(t *testing.T, eng *procession.Engine) (id string, pids []int) {
	spec := procession.Shell(d.line + "\n" + after)
	spec.Dir, spec.Stdin, spec.Grace = d.dir(t), true, 2*time.Second
	spec.Env = map[string]string{"SELF": os.Args[0], helperVar: d.helper, "GORACE": "atexit_sleep_ms=0"}
	id = enginetest.Start(t, eng, spec)
	return id, d.await(t, spec.Dir)
}

// await waits until the daemon has written down its process ID, and is seen to be one.
func (d *daemon) await(t *testing.T, dir string) (pids []int) {
	t.Helper()
	require.EventuallyWithT(t, func(c *assert.CollectT) {
		text, err := os.ReadFile(filepath.Join(dir, "pid"))
		require.NoError(c, err)
		require.Regexp(c, `\n$`, string(text), "all is written")
		pids = nil
		for _, word := range strings.Fields(string(text)) {
			pid, err := strconv.Atoi(word)
			assert.NoError(t, err)
			pids = append(pids, pid)
			require.True(c, testkit.Alive(pid), "%d is alive", pid)
			for _, child := range testkit.Descendants(pid) {
				pids = append(pids, child.PID)
			}
		}
		assert.Greater(c, len(pids), d.children, "it and its children")
	}, 20*time.Second, tick, "the daemon runs")
	return pids
}

func init() { helpers["daemon engine"] = daemonEngine }

// daemonEngine runs a guarded engine of the name args[0] with a process in args[1] whose
// line is args[2].
func daemonEngine(args []string) {
	eng, err := procession.New(procession.WithID(args[0]), procession.WithGuardian())
	if err == nil {
		spec := procession.Shell(args[2] + "\n" + after)
		spec.Dir, spec.Stdin = args[1], true
		spec.Env = map[string]string{"SELF": os.Args[0], helperVar: args[3], "GORACE": "atexit_sleep_ms=0"}
		_, err = eng.Start(context.Background(), spec)
	}
	if err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
	fmt.Println("ready")
	stay()
}

func TestDaemonsEndWithTheirEngine(t *testing.T) {
	for _, d := range daemons {
		t.Run(d.name, func(t *testing.T) {
			d.needs(t)
			t.Parallel()
			dir := d.dir(t)
			cmd := helper("daemon engine", uuid.NewString(), dir, d.line, d.helper)
			out, err := cmd.StdoutPipe()
			require.NoError(t, err)
			require.NoError(t, cmd.Start())
			t.Cleanup(func() {
				cmd.Process.Kill()
				cmd.Wait()
			})
			line, err := bufio.NewReader(out).ReadString('\n')
			require.NoError(t, err)
			require.Equal(t, "ready\n", line)
			pids := d.await(t, dir)
			require.NoError(t, cmd.Process.Kill())
			endWithin(t, 5*time.Second, pids...)
		})
	}
}

// The same with an engine that is not root, which may look at less.
func TestDaemonsEndWithAnEngineOfNobody(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("needs root, to be somebody else")
	}
	const nobody = 65534
	// Where nobody can execute it.
	dir, err := os.MkdirTemp("", "faults-")
	require.NoError(t, err)
	t.Cleanup(func() { os.RemoveAll(dir) })
	require.NoError(t, os.Chmod(dir, 0o755))
	binary := filepath.Join(dir, "faults.test")
	out, err := exec.Command("cp", os.Args[0], binary).CombinedOutput()
	require.NoError(t, err, "%s", out)
	setuid := filepath.Join(dir, "setuid")
	out, err = exec.Command("cp", os.Args[0], setuid).CombinedOutput()
	require.NoError(t, err, "%s", out)
	require.NoError(t, os.Chmod(setuid, 0o755|os.ModeSetuid))
	temp := filepath.Join(dir, "tmp")
	require.NoError(t, os.Mkdir(temp, 0o777))
	require.NoError(t, os.Chmod(temp, 0o777))

	cmd := exec.Command(binary, "-test.run", "^(TestDaemonsEndWithTheirProcess|TestDaemonsEndWithTheirEngine)$", "-test.count=1", "-slow="+strconv.FormatBool(*slow))
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "TMPDIR="+temp, "HOME="+temp, setuidVar+"="+setuid)
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: nobody, Gid: nobody}}
	out, err = cmd.CombinedOutput()
	require.NoError(t, err, "%s", out)
	t.Logf("%s", out)
}
