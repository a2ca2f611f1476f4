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

// owner is what the marks of pid tell: the ID of the process that it descends from,
// and whether that is of this engine. An error means that this program cannot look
// at present. What reads as empty is read again until the process is seen to have no
// environment: execve(2) exchanges it, and can do so twice in a row. One that is
// exiting has none any more, although it may have memory and files for long: it is
// what it was found to be before, and if it is not known it is waited for.
func (t *procTable) owner(pid int) (id string, isOurs bool, err error) {
	process := strconv.Itoa(pid)
	for begun := time.Now(); time.Since(begun) < maxChanging; time.Sleep(50 * time.Microsecond) {
		env, err := t.environ(process)
		if isShort(err) {
			return "", false, err
		}
		if err != nil && err != unix.ESRCH { // which its first thread answers when it has ended
			return "", false, nil
		}
		if len(env) == 0 {
			if none, err := hasNoEnviron(process); none || err != nil {
				return "", false, err
			}
			env = t.threadEnviron(process)
		}
		if len(env) > 0 {
			isOurs = t.engine != "" && mark(env, MarkEngine) == t.engine
			return mark(env, MarkID), isOurs, nil
		}
		if id, known := t.ours[pid]; known && isExiting(process) {
			return id, true, nil
		}
	}
	return "", false, nil
}

// maxChanging is the longest that a process in the middle of execve(2) is waited
// for, which needs no more than some CPU time, or an unknown one in the middle of
// its exit, which lasts as long as it takes to free what it has.
const maxChanging = time.Second

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
	for _, thread := range threads(process) {
		if env, err := t.environ(thread); err == nil && len(env) > 0 {
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
	case fields.has(kernelThread):
		return true, nil
	case fields.has(exiting): // its first thread, that is
		const state, threads = 3, 20
		return fields[threads] == "1" && (fields[state] == "Z" || fields[state] == "X"), nil
	}
	const endCode, envStart, envEnd = 27, 50, 51
	return fields[endCode] != "0" && fields[envStart] == fields[envEnd], nil
}

// isExiting reports whether all threads of a process are ending.
func isExiting(process string) bool {
	for _, thread := range threads(process) {
		if fields, err := statFields(thread); err == nil && !fields.has(exiting) {
			return false
		}
	}
	return true
}

// threads are the names that the threads of a process have below /proc.
func threads(process string) []string {
	names, _ := filepath.Glob("/proc/" + process + "/task/*")
	for i := range names {
		names[i] = strings.TrimPrefix(names[i], "/proc/")
	}
	return names
}

// isForked reports whether a process has not executed a program since it was
// forked.
func isForked(pid int) bool {
	fields, err := statFields(strconv.Itoa(pid))
	return err == nil && fields.has(forkedOnly)
}

// stat are the fields of /proc/PID/stat, numbered as in proc(5), from the third on.
type stat []string

// Some of the flags among the fields (PF_* in the kernel's include/linux/sched.h).
const (
	exiting      = 0x4
	forkedOnly   = 0x40 // PF_FORKNOEXEC
	kernelThread = 0x200000
)

func (s stat) has(flag uint64) bool {
	const flags = 9
	set, _ := strconv.ParseUint(s[flags], 10, 64)
	return set&flag != 0
}

// statFields reads the fields of a process, or of a thread.
func statFields(name string) (stat, error) {
	text, err := os.ReadFile("/proc/" + name + "/stat")
	if err != nil {
		return nil, err
	}
	fields := append(make(stat, 3), strings.Fields(string(text[bytes.LastIndexByte(text, ')')+1:]))...)
	if len(fields) < 52 {
		return nil, unix.EINVAL
	}
	return fields, nil
}
