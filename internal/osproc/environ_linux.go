package osproc

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// What /proc tells about one process: the marks in its environment, and whether it
// has executed a program.

// marks reads the marks in a process's environment, "" if it has none or may
// not be looked at; an error means that this program cannot look at present. What
// reads as empty is read again until the process is seen to have no environment:
// execve(2) exchanges it, and can do so twice in a row.
func (t *procTable) marks(pid int) (engine, id string, err error) {
	process := strconv.Itoa(pid)
	for begun := time.Now(); time.Since(begun) < maxExecuting; time.Sleep(50 * time.Microsecond) {
		env, err := t.environ(process)
		switch {
		case len(env) > 0:
			return mark(env, MarkEngine), mark(env, MarkID), nil
		case isShort(err):
			return "", "", err
		case err != nil && err != unix.ESRCH: // which its first thread answers when it has ended
			return "", "", nil
		}
		if none, err := hasNoEnviron(process); none || err != nil {
			return "", "", err
		}
		if env := t.threadEnviron(process); len(env) > 0 {
			return mark(env, MarkEngine), mark(env, MarkID), nil
		}
	}
	return "", "", nil
}

// maxExecuting is the longest that a process in the middle of execve(2) is waited
// for: such a one needs no more than some CPU time.
const maxExecuting = time.Second

// isShort reports whether this program, or the machine, has run out of
// descriptors or memory.
func isShort(err error) bool {
	return errors.Is(err, unix.EMFILE) || errors.Is(err, unix.ENFILE) || errors.Is(err, unix.ENOMEM)
}

func mark(env []byte, name string) string {
	prefix := []byte(name + "=")
	for len(env) > 0 {
		entry, rest, _ := bytes.Cut(env, []byte{0})
		if value, ok := bytes.CutPrefix(entry, prefix); ok {
			return string(value)
		}
		env = rest
	}
	return ""
}

// threadEnviron is the environment as another thread has it than the first, which
// may end before the process does.
func (t *procTable) threadEnviron(process string) []byte {
	threads, _ := filepath.Glob("/proc/" + process + "/task/*")
	for _, thread := range threads {
		if env, err := t.environ(strings.TrimPrefix(thread, "/proc/")); err == nil && len(env) > 0 {
			return env
		}
	}
	return nil
}

// environ reads /proc/PROCESS/environ, without the runtime's poller. The answer is
// valid until the next call.
func (t *procTable) environ(process string) ([]byte, error) {
	fd, err := unix.Open("/proc/"+process+"/environ", unix.O_RDONLY|unix.O_CLOEXEC, 0)
	if err != nil {
		return nil, err
	}
	defer unix.Close(fd)
	for size := 0; ; {
		if size == len(t.buf) {
			t.buf = append(t.buf, make([]byte, len(t.buf))...)
		}
		n, err := unix.Read(fd, t.buf[size:])
		switch {
		case err == unix.EINTR:
		case err != nil:
			return nil, err
		case n == 0:
			return t.buf[:size], nil
		default:
			size += n
		}
	}
}

// hasNoEnviron reports whether a process is seen to have no environment: it has
// ended, it is the kernel's, or it was executed with an empty one. In the middle of
// execve(2) none of this is so, although the end of the environment is 0 first and
// then its beginning for a while, because the end of the code is 0 until the
// environment is complete (load_elf_binary in the kernel's fs/binfmt_elf.c). An
// error means that this program cannot look at present.
func hasNoEnviron(process string) (bool, error) {
	fields, err := statFields(process)
	switch {
	case isShort(err):
		return false, err
	case err != nil: // there is no such process any more
		return false, nil
	}
	const threads, vsize, endCode, envStart, envEnd = 20, 23, 27, 50, 51
	if fields[vsize] == "0" { // its first thread has ended; if it is not known which that is, there are 0
		return fields[threads] == "1", nil
	}
	return fields[endCode] != "0" && fields[envStart] == fields[envEnd], nil
}

// isForked reports whether a process has not executed a program since it was
// forked (PF_FORKNOEXEC in the kernel's include/linux/sched.h).
func isForked(pid int) bool {
	fields, err := statFields(strconv.Itoa(pid))
	if err != nil {
		return false
	}
	const flags, forkNoExec = 9, 0x40
	set, _ := strconv.ParseUint(fields[flags], 10, 64)
	return set&forkNoExec != 0
}

// statFields are the fields of /proc/PID/stat, numbered as in proc(5), from the
// third on.
func statFields(process string) ([]string, error) {
	stat, err := os.ReadFile("/proc/" + process + "/stat")
	if err != nil {
		return nil, err
	}
	fields := append(make([]string, 3), strings.Fields(string(stat[bytes.LastIndexByte(stat, ')')+1:]))...)
	if len(fields) < 52 {
		return nil, unix.EINVAL
	}
	return fields, nil
}
