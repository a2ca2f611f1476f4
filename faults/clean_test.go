//go:build linux

package faults

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"unsafe"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"github.com/procession-go/procession"
)

func init() {
	helpers["show"] = show
	helpers["unclean"] = unclean
	helpers["clean engine"] = cleanEngine
}

// show prints what a program has inherited.
func show([]string) {
	entries, _ := os.ReadDir("/proc/self/fd")
	var fds []string
	for _, e := range entries {
		if target, err := os.Readlink("/proc/self/fd/" + e.Name()); err == nil && !strings.Contains(target, "eventpoll") && !strings.Contains(target, "eventfd") {
			fds = append(fds, e.Name())
		}
	}
	fmt.Println("fds", fds)
}

// unclean blocks and ignores signals and leaves a descriptor open, then becomes
// an engine.
func unclean([]string) {
	runtime.LockOSThread()
	set := uint64(1<<(syscall.SIGTERM-1) | 1<<(syscall.SIGUSR1-1))
	unix.RawSyscall6(unix.SYS_RT_SIGPROCMASK, unix.SIG_BLOCK, uintptr(unsafe.Pointer(&set)), 0, 8, 0, 0)
	signal.Ignore(syscall.SIGINT, syscall.SIGHUP, syscall.SIGTSTP, syscall.SIGUSR2)
	unix.Dup3(1, 9, 0) // not close-on-exec
	os.Setenv(helperVar, "clean engine")
	fmt.Println(syscall.Exec("/proc/self/exe", os.Args, os.Environ()))
}

// cleanEngine prints what a child of an engine has inherited.
func cleanEngine([]string) {
	ctx := context.Background()
	eng, err := procession.New(procession.WithID("clean"))
	if err != nil {
		fmt.Println(err)
		return
	}
	signal.Ignore(syscall.SIGQUIT) // after New
	for _, spec := range []procession.Spec{
		procession.Shell(`ls /proc/self/fd | tr '\n' ' '; grep -E 'Sig(Blk|Ign)' /proc/self/status; [ $(cut -d' ' -f5 /proc/$$/stat) = $$ ] && echo own group`),
		{Command: "/usr/bin/env", ClearEnv: true, Env: map[string]string{"A": "b"}},
	} {
		id, err := eng.Start(ctx, spec)
		if err != nil {
			fmt.Println(err)
			continue
		}
		eng.Wait(ctx, id)
		out, _ := eng.Output(ctx, id)
		fmt.Print(strings.ReplaceAll(out.Combined(), id, "ID"))
	}
	eng.Shutdown(ctx)
}

func TestChildrenAreClean(t *testing.T) {
	out, err := helper("unclean").Output()
	require.NoError(t, err)
	got := strings.Split(strings.TrimSpace(string(out)), "\n")
	want := []string{
		"0 1 2 3 SigBlk:\t0000000000000000", // 3 is the directory that ls reads
		"SigIgn:\t0000000000000000",
		"own group",
		"A=b",
		"PROCESSION_ENGINE=clean",
		"PROCESSION_ID=ID",
	}
	assert.Equal(t, want, got, "what a child has inherited")
}
