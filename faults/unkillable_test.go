//go:build linux

package faults

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/procession-go/procession"
	"github.com/procession-go/procession/internal/testkit"
)

func init() {
	helpers["another user"] = anotherUser
	helpers["engine of nobody"] = engineOfNobody
}

// anotherUser becomes root for good, and stays.
func anotherUser([]string) {
	if err := syscall.Setuid(0); err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println("pid", os.Getpid())
	time.Sleep(1 << 62) // not select: without cgo that would be a deadlock
}

// engineOfNobody runs args[0], which becomes root, as nobody, and tries to end it.
func engineOfNobody(args []string) {
	if err := syscall.Setuid(65534); err != nil {
		fmt.Println(err)
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	eng, err := procession.New(procession.WithGrace(100 * time.Millisecond))
	if err != nil {
		fmt.Println(err)
		return
	}
	spec := procession.Spec{Command: args[0], Env: map[string]string{helperVar: "another user"}}
	killed, err1 := eng.Start(ctx, spec)
	_, err2 := eng.Start(ctx, spec)
	line, err3 := eng.WaitFor(ctx, killed, regexp.MustCompile(`\d|denied|permitted`))
	if err := errors.Join(err1, err2, err3); err != nil || !strings.HasPrefix(line, "pid") {
		fmt.Println("not set up:", err, line)
		return
	}
	_, err = eng.Kill(ctx, killed)
	fmt.Println("kill:", errors.Is(err, fs.ErrPermission))
	fmt.Println("release:", eng.Release(ctx, killed))
	_, err = eng.Shutdown(ctx)
	fmt.Println("shutdown:", err)
}

// A leader that runs as another user cannot be ended. That must hang nobody.
func TestAProcessOfAnotherUserHangsNobody(t *testing.T) {
	if os.Getuid() != 0 {
		t.Skip("needs root, to make a program that becomes root")
	}
	dir, err := os.MkdirTemp("/var/tmp", "procession") // which nobody can search
	require.NoError(t, err)
	program := filepath.Join(dir, "setuid")
	t.Cleanup(func() { // first the processes: those of a program that was removed are not found by its name
		for _, p := range testkit.Processes() {
			exe, _ := os.Readlink("/proc/" + strconv.Itoa(p.PID) + "/exe")
			if strings.TrimSuffix(exe, " (deleted)") == program {
				syscall.Kill(p.PID, syscall.SIGKILL)
			}
		}
		os.RemoveAll(dir)
	})
	binary, err := os.ReadFile("/proc/self/exe")
	require.NoError(t, errors.Join(err, os.WriteFile(program, binary, 0o755), os.Chmod(program, 0o4755|fs.ModeSetuid), os.Chmod(dir, 0o755)))
	cmd := helper("engine of nobody", program)
	cmd.Path = program // which nobody can execute, wherever the tests are
	cmd.Env = append(cmd.Env, "GORACE=atexit_sleep_ms=0")
	cmd.Stderr = nil
	out, err := cmd.Output()
	if strings.HasPrefix(string(out), "not set up") {
		t.Skipf("%s", out)
	}
	assert.NoError(t, err)
	assert.Equal(t, "kill: true\nrelease: <nil>\nshutdown: <nil>\n", string(out))
}
