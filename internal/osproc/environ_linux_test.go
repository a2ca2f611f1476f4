package osproc

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// executesAgain is the environment variable that makes this program execute itself
// for ever, each time in another thread than its first.
const executesAgain = "OSPROC_EXECUTES_AGAIN"

func TestMain(m *testing.M) {
	if os.Getenv(executesAgain) == "" {
		os.Exit(m.Run())
	}
	runtime.LockOSThread()
	first := unix.Gettid()
	for {
		go func() {
			runtime.LockOSThread()
			if unix.Gettid() != first {
				panic(unix.Exec("/proc/self/exe", os.Args, os.Environ()))
			}
		}()
		runtime.Gosched()
	}
}

// An environment is in the making during execve(2), for which there are moments at
// which it reads as empty and looks complete. Another thread than the first takes
// its number over in it.
func TestMarksAreSeenWhateverAProcessExecutes(t *testing.T) {
	file := filepath.Join(t.TempDir(), "again")
	if err := os.WriteFile(file, []byte("exec sh "+file+"\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	for name, cmd := range map[string]*exec.Cmd{"shell": exec.Command("sh", file), "thread": exec.Command("/proc/self/exe")} {
		t.Run(name, func(t *testing.T) {
			cmd.Env = []string{MarkEngine + "=some", MarkID + "=one", executesAgain + "=yes"}
			for i := range 5000 { // these moments last longer
				cmd.Env = append(cmd.Env, fmt.Sprintf("MANY_%d=", i))
			}
			if err := cmd.Start(); err != nil {
				t.Fatal(err)
			}
			defer cmd.Wait()
			defer cmd.Process.Kill()
			table := tableOfNow(t)
			looks := 0
			for begun := time.Now(); time.Since(begun) < time.Second; looks++ {
				if id, isOurs, err := table.owner(cmd.Process.Pid); id != "one" || !isOurs || err != nil {
					t.Fatalf("%q, %v, %v at look %d", id, isOurs, err, looks)
				}
			}
			t.Logf("%d looks", looks)
		})
	}
}

func TestNoMarksWithoutAnEnvironment(t *testing.T) {
	cmd := exec.Command("sleep", "60")
	cmd.Env = []string{}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	table := tableOfNow(t)
	look := func(pid int, what string) {
		begun := time.Now()
		if id, isOurs, err := table.owner(pid); id != "" || isOurs || err != nil {
			t.Errorf("%s: %q, %v, %v", what, id, isOurs, err)
		}
		if took := time.Since(begun); took > maxChanging/2 {
			t.Errorf("%s: seen after %v", what, took)
		}
	}
	look(cmd.Process.Pid, "an empty environment")
	cmd.Process.Kill()
	if err := unix.Waitid(unix.P_PID, cmd.Process.Pid, nil, unix.WEXITED|unix.WNOWAIT, nil); err != nil {
		t.Fatal(err)
	}
	look(cmd.Process.Pid, "a zombie")
	cmd.Wait()
	look(cmd.Process.Pid, "none")
	look(2, "a kernel thread, or none")
}

// One that is exiting has no environment any more, and still all of its files; here
// one that takes long to be freed.
func TestOneThatIsExitingIsNoStranger(t *testing.T) {
	for _, known := range []bool{true, false} {
		memory := bigFile(t)
		cmd := exec.Command("sleep", "60")
		cmd.Env, cmd.ExtraFiles = []string{MarkEngine + "=some", MarkID + "=one"}, []*os.File{memory}
		err := cmd.Start()
		memory.Close()
		if err != nil {
			t.Fatal(err)
		}
		pid := cmd.Process.Pid
		pidfd, err := unix.PidfdOpen(pid, 0)
		if err != nil {
			t.Fatal(err)
		}
		defer unix.Close(pidfd)
		table := tableOfNow(t)
		if known {
			table.ours[pid] = "one"
		}
		cmd.Process.Kill()
		isOurs, looks := true, 0
		for ; isOurs; looks++ {
			if _, isOurs, err = table.owner(pid); err != nil {
				t.Fatal(err)
			}
		}
		if !hasExited(pidfd) {
			t.Errorf("a stranger at look %d, before it has exited (known: %v)", looks, known)
		}
		t.Logf("%d looks (known: %v)", looks, known)
		cmd.Wait()
	}
}

// bigFile is a file in memory of 256 MiB.
func bigFile(t *testing.T) *os.File {
	t.Helper()
	fd, err := unix.MemfdCreate("big", unix.MFD_CLOEXEC)
	if err != nil {
		t.Fatal(err)
	}
	file := os.NewFile(uintptr(fd), "big")
	if err := unix.Fallocate(fd, 0, 0, 256<<20); err != nil {
		t.Fatal(err)
	}
	return file
}
