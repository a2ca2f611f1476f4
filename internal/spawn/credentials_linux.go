//go:build linux && (amd64 || arm64)

package spawn

import (
	"slices"
	"sync"
	"unsafe"

	"golang.org/x/sys/unix"
)

// What a child inherits of the thread that forks, and not of its process: the
// credentials, and what the thread gave up for good. When a program changes them,
// the runtime does so on its own threads (syscall.Setuid, syscall.AllThreadsSyscall;
// with cgo the C library on its own), and so not on ours. Then another thread is made,
// by one that has the new ones. What has been forked before keeps the old thread.

// credentials are those of a thread that can be compared, cheaply.
type credentials struct {
	uid, gid [3]uint32 // real, effective, saved
	caps     [2]unix.CapUserData
	inherits rights
	groups   []uint32
}

// rights are what prctl(2) tells of what a thread, or what it executes, may do.
type rights struct {
	noNew, seccomp, securebits uintptr
	ambient                    uint64 // capabilities by number; only of who can have some
}

// lastCap is the greatest capability that this kernel knows.
var lastCap = sync.OnceValue(func() (last uintptr) {
	for last < 63 && prctl(unix.PR_CAPBSET_READ, last+1, 0) <= 1 {
		last++
	}
	return last
})

func prctl(option, a, b uintptr) uintptr {
	answer, _, errno := unix.RawSyscall6(unix.SYS_PRCTL, option, a, b, 0, 0, 0)
	if errno != 0 {
		return ^uintptr(0)
	}
	return answer
}

func (p *rights) read(ambient bool) {
	p.noNew = prctl(unix.PR_GET_NO_NEW_PRIVS, 0, 0)
	p.seccomp = prctl(unix.PR_GET_SECCOMP, 0, 0)
	p.securebits = prctl(unix.PR_GET_SECUREBITS, 0, 0)
	if !ambient {
		return
	}
	for capability := range lastCap() + 1 {
		p.ambient |= uint64(prctl(unix.PR_CAP_AMBIENT, unix.PR_CAP_AMBIENT_IS_SET, capability)&1) << capability
	}
}

// asked returns the calls by which a thread says whether its rights are p.
func (p *rights) asked(ambient bool) (calls []call) {
	ask := func(want, option, a, b uintptr) {
		calls = append(calls, call{mustAnswer, unix.SYS_PRCTL, [6]uintptr{option, a, b}, want})
	}
	ask(p.noNew, unix.PR_GET_NO_NEW_PRIVS, 0, 0)
	ask(p.seccomp, unix.PR_GET_SECCOMP, 0, 0)
	ask(p.securebits, unix.PR_GET_SECUREBITS, 0, 0)
	if ambient {
		for capability := range lastCap() + 1 {
			ask(uintptr(p.ambient>>capability&1), unix.PR_CAP_AMBIENT, unix.PR_CAP_AMBIENT_IS_SET, capability)
		}
	}
	return calls
}

// mayBeAmbient reports whether a thread may have ambient capabilities, which must be
// inheritable (capabilities(7)).
func (c *credentials) mayBeAmbient() bool { return c.caps[0].Inheritable|c.caps[1].Inheritable != 0 }

// present returns those of the calling thread.
func present() (c credentials) {
	unix.RawSyscall(unix.SYS_GETRESUID, pointer(&c.uid[0]), pointer(&c.uid[1]), pointer(&c.uid[2]))
	unix.RawSyscall(unix.SYS_GETRESGID, pointer(&c.gid[0]), pointer(&c.gid[1]), pointer(&c.gid[2]))
	header := unix.CapUserHeader{Version: unix.LINUX_CAPABILITY_VERSION_3}
	unix.RawSyscall(unix.SYS_CAPGET, pointer(&header), pointer(&c.caps[0]), 0)
	c.inherits.read(c.mayBeAmbient())
	var groups [64]uint32
	n, _, errno := unix.RawSyscall(unix.SYS_GETGROUPS, uintptr(len(groups)), uintptr(unsafe.Pointer(&groups)), 0)
	if errno == 0 {
		c.groups = append(c.groups, groups[:n]...)
	} else if n, _, errno = unix.RawSyscall(unix.SYS_GETGROUPS, 0, 0, 0); errno == 0 && n > 0 {
		c.groups = make([]uint32, n)
		unix.RawSyscall(unix.SYS_GETGROUPS, n, pointer(&c.groups[0]), 0)
	}
	return c
}

// readCredentials has the thread say which it has: those of the program may have changed
// while it was made.
func (t *thread) readCredentials() error {
	const unknown = ^uint32(0)
	now := present()
	said := new(answers)
	t.said = said // so that it is on the heap, where it does not move
	defer func() { t.said = nil }()
	said.header.Version = unix.LINUX_CAPABILITY_VERSION_3
	for i := range said.groups {
		said.groups[i] = unknown
	}
	err := t.do(append([]call{
		{mustSucceed, unix.SYS_GETRESUID, [6]uintptr{pointer(&said.uid[0]), pointer(&said.uid[1]), pointer(&said.uid[2])}, 0},
		{mustSucceed, unix.SYS_GETRESGID, [6]uintptr{pointer(&said.gid[0]), pointer(&said.gid[1]), pointer(&said.gid[2])}, 0},
		{mayFail, unix.SYS_CAPGET, [6]uintptr{pointer(&said.header), pointer(&said.caps[0])}, 0},
		{mayFail, unix.SYS_GETGROUPS, [6]uintptr{uintptr(len(said.groups)), pointer(&said.groups[0])}, 0},
	}, now.inherits.asked(now.mayBeAmbient())...)...)
	groups := said.groups[:]
	if n := slices.Index(groups, unknown); n >= 0 {
		groups = groups[:n]
	}
	t.credentials = credentials{said.uid, said.gid, said.caps, now.inherits, slices.Clone(groups)}
	return err
}

// answers are what a thread writes its credentials to.
type answers struct {
	uid, gid [3]uint32
	header   unix.CapUserHeader
	caps     [2]unix.CapUserData
	groups   [1 << 16]uint32 // NGROUPS_MAX
}

func (c *credentials) equal(o *credentials) bool {
	return c.uid == o.uid && c.gid == o.gid && c.caps == o.caps && c.inherits == o.inherits && slices.Equal(c.groups, o.groups)
}

// threads are all that were made. They never end.
var threads threadSet

type threadSet struct {
	mu  sync.Mutex
	all []*thread
}

// with returns the newest with those credentials, nil if there is none.
func (s *threadSet) with(c *credentials) *thread {
	for _, t := range slices.Backward(s.all) {
		if t.credentials.equal(c) {
			return t
		}
	}
	return nil
}

// present returns the thread with the credentials of the calling one, made if there is none.
func (s *threadSet) present() (*thread, error) {
	c := present()
	if t := s.with(&c); t != nil {
		return t, t.refusal
	}
	t, err := newThread()
	if err != nil {
		return nil, err
	}
	s.all = append(s.all, t)
	return t, t.refusal
}

// refuse notes why t is of no use any more.
func (t *thread) refuse(why error) {
	threads.mu.Lock()
	defer threads.mu.Unlock()
	t.refusal = why
}

// presentThread returns the thread that forks with the credentials that this program has at present.
func presentThread() (*thread, error) {
	c := present()
	threads.mu.Lock()
	defer threads.mu.Unlock()
	if t := threads.with(&c); t != nil {
		return t, t.refusal
	}
	// The calling thread may be locked, and like no other (namespaces(7), affinity): the
	// new one is to be like any of the program.
	type result struct {
		thread *thread
		err    error
	}
	made := make(chan result)
	go func() {
		t, err := threads.present()
		made <- result{t, err}
	}()
	r := <-made
	return r.thread, r.err
}
