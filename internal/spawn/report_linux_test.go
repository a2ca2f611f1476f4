//go:build amd64 || arm64

package spawn

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
	"unsafe"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"
)

// report is what a program sees of itself.
type report struct {
	Args, Env                   strs
	Dir                         string
	Descriptors                 map[int]string // what each is that it had from the beginning
	PID, Parent, Group, Session int
	Terminal                    int    // the controlling one's device number, 0 if there is none
	OpenTerminal                string // why /dev/tty cannot be opened
	DeathSignal                 int32
	UID, EUID                   int
}

func init() {
	helpers["report"] = func() {
		r := report{Descriptors: descriptorsOf("self")}
		for fd := range r.Descriptors {
			if flags, err := unix.FcntlInt(uintptr(fd), unix.F_GETFD, 0); err == nil && flags&unix.FD_CLOEXEC != 0 {
				delete(r.Descriptors, fd) // it was opened since, by the runtime
			}
		}
		r.Args, r.Env = readStrs("/proc/self/cmdline"), readStrs("/proc/self/environ")
		r.Dir, _ = os.Getwd()
		r.PID, r.Parent, r.Group = os.Getpid(), os.Getppid(), unix.Getpgrp()
		r.Session, _ = unix.Getsid(0)
		r.UID, r.EUID = os.Getuid(), os.Geteuid()
		r.Terminal = terminal()
		if fd, err := unix.Open("/dev/tty", unix.O_RDWR|unix.O_CLOEXEC, 0); err != nil {
			r.OpenTerminal = err.Error()
		} else {
			unix.Close(fd)
		}
		unix.RawSyscall6(unix.SYS_PRCTL, unix.PR_GET_PDEATHSIG, uintptr(unsafe.Pointer(&r.DeathSignal)), 0, 0, 0, 0)
		text, err := json.Marshal(r)
		if err != nil {
			panic(err)
		}
		fmt.Println(string(text))
	}
}

// reported is what a program says of itself that was started by f.
func reported(t testing.TB, text string) (r report) {
	t.Helper()
	require.NoError(t, json.Unmarshal([]byte(text), &r), "%s", text)
	return r
}

// strs are strings as the kernel keeps them: each has a NUL after it.
type strs []byte

func readStrs(path string) strs {
	text, err := os.ReadFile(path)
	if err != nil {
		panic(err)
	}
	return text
}

func (s strs) all() []string {
	if len(s) == 0 {
		return []string{}
	}
	return strings.Split(strings.TrimSuffix(string(s), "\x00"), "\x00")
}

// equal asserts that they are those, and does not print what is too long to be read.
func (s strs) equal(t testing.TB, want []string) {
	t.Helper()
	got := s.all()
	if len(s) < 1000 {
		assert.Equal(t, want, got)
		return
	}
	assert.True(t, slices.Equal(want, got), "%d strings, %d bytes, but not those", len(got), len(s))
}

// terminal is the number of the controlling terminal, 0 if there is none: tty_nr of
// proc_pid_stat(5).
func terminal() (number int) {
	text, _ := os.ReadFile("/proc/self/stat")
	if fields := strings.Fields(string(text[bytes.LastIndexByte(text, ')')+1:])); len(fields) > 4 {
		number, _ = strconv.Atoi(fields[4])
	}
	return number
}

// descriptorsOf are the descriptors of a process or of a thread ("self/task/TID"), and
// what each is. The one by which they are read is left out.
func descriptorsOf(process string) map[int]string {
	dir := "/proc/" + process + "/fd"
	fd, err := unix.Open(dir, unix.O_RDONLY|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
	if err != nil {
		return nil
	}
	defer unix.Close(fd)
	var names []string
	for buf := make([]byte, 64<<10); ; {
		n, err := unix.ReadDirent(fd, buf)
		if err != nil || n == 0 {
			break
		}
		_, _, names = unix.ParseDirent(buf[:n], -1, names)
	}
	all := map[int]string{}
	for _, name := range names {
		target := make([]byte, 4096)
		n, err := unix.Readlink(dir+"/"+name, target)
		number, _ := strconv.Atoi(name)
		if err != nil || process == "self" && number == fd {
			continue
		}
		all[number] = string(target[:n])
	}
	return all
}

// statusLine is what a line of a /proc/PID/status has after its name.
func statusLine(t testing.TB, status, name string) string {
	t.Helper()
	for line := range strings.Lines(status) {
		if rest, found := strings.CutPrefix(line, name+":"); found {
			return strings.TrimSpace(rest)
		}
	}
	require.Fail(t, "no such line", "%s in %s", name, status)
	return ""
}
