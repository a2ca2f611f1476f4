//go:build linux && (amd64 || arm64)

package spawn

import (
	"os"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"

	"github.com/procession-go/procession/internal/nofile"
)

// expressible reports whether a script can do what attr asks for.
func expressible(attr *syscall.SysProcAttr) bool {
	if attr == nil {
		return true
	}
	rest := *attr
	rest.Setsid, rest.Setpgid, rest.Setctty, rest.Pdeathsig = false, false, false, 0
	return rest.Pgid == 0 && isZero(&rest)
}

func isZero(attr *syscall.SysProcAttr) bool {
	return attr.Chroot == "" && attr.Credential == nil && !attr.Ptrace && !attr.Setsid && !attr.Setpgid && !attr.Setctty &&
		!attr.Noctty && attr.Ctty == 0 && !attr.Foreground && attr.Pgid == 0 && attr.Pdeathsig == 0 &&
		attr.Cloneflags == 0 && attr.Unshareflags == 0 && attr.UidMappings == nil && attr.GidMappings == nil &&
		!attr.GidMappingsEnableSetgroups && attr.AmbientCaps == nil && !attr.UseCgroupFD && attr.CgroupFD == 0 && attr.PidFD == nil
}

// prepare makes the script of p. Both the thread and the child begin with all
// signals blocked; the child's descriptors 0, 1 and 2 are close-on-exec at first.
func (r *request) prepare(p *Program) (err error) {
	if r.path, err = syscall.BytePtrFromString(p.Cmd.Path); err != nil {
		return err
	}
	if r.argv, err = syscall.SlicePtrFromStrings(arguments(p.Cmd)); err != nil {
		return err
	}
	if r.env, err = syscall.SlicePtrFromStrings(environment(p.Cmd)); err != nil {
		return err
	}
	if p.Cmd.Dir != "" {
		if r.dir, err = syscall.BytePtrFromString(p.Cmd.Dir); err != nil {
			return err
		}
	}
	for i, fd := range p.Files {
		r.call(mustAnswer, unix.SYS_PIDFD_GETFD, ownPidfd, uintptr(fd), 0).want = uintptr(i)
	}
	r.fork()
	r.prepareChild(p)
	return nil
}

// prepareChild makes the part of the script that is the child's.
func (r *request) prepareChild(p *Program) {
	attr := p.Cmd.SysProcAttr
	if attr == nil {
		attr = &syscall.SysProcAttr{}
	}
	switch {
	case attr.Setsid:
		r.call(mustSucceed, unix.SYS_SETSID)
	case attr.Setpgid:
		r.call(mustSucceed, unix.SYS_SETPGID, 0, 0)
	}
	if attr.Pdeathsig != 0 {
		r.call(mustSucceed, unix.SYS_PRCTL, unix.PR_SET_PDEATHSIG, uintptr(attr.Pdeathsig))
		r.call(mustAnswer, unix.SYS_GETPPID).want = uintptr(os.Getpid()) // it may have ended before
	}
	limits := limitsOf(p)
	r.limits = make([]unix.Rlimit, len(limits))
	for i, limit := range limits {
		r.limits[i] = unix.Rlimit{Cur: limit.Soft, Max: limit.Hard}
		r.call(mayFail, unix.SYS_PRLIMIT64, 0, uintptr(limit.Resource), pointer(&r.limits[i]), 0)
	}
	for fd := range uintptr(len(p.Files)) {
		r.call(mustSucceed, unix.SYS_FCNTL, fd, unix.F_SETFD, 0)
	}
	if attr.Setctty {
		r.call(mustSucceed, unix.SYS_IOCTL, 0, unix.TIOCSCTTY, 1)
	}
	if r.dir != nil {
		r.call(mustSucceed, unix.SYS_CHDIR, pointer(r.dir))
	}
	r.call(mustSucceed, unix.SYS_RT_SIGPROCMASK, unix.SIG_SETMASK, pointer(&r.unblocked), 0, unsafe.Sizeof(r.unblocked))
	r.call(mustSucceed, unix.SYS_EXECVE, pointer(r.path), pointer(&r.argv[0]), pointer(&r.env[0]))
}

// limitsOf returns the limits that p is to have: the soft one on descriptors that this
// program had before package syscall raised it, and then those that are asked for.
func limitsOf(p *Program) []Limit {
	var own unix.Rlimit
	if nofile.Original == 0 || unix.Getrlimit(unix.RLIMIT_NOFILE, &own) != nil || own.Cur != nofile.Raised || own.Cur == nofile.Original {
		return p.Limits // or the program has chosen it since, and its children inherit that
	}
	return append([]Limit{{unix.RLIMIT_NOFILE, nofile.Original, own.Max}}, p.Limits...)
}

// pointer returns the address of what r keeps on the heap, where it does not move.
func pointer[T any](p *T) uintptr { return uintptr(unsafe.Pointer(p)) }
