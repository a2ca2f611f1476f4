//go:build linux && (amd64 || arm64)

package spawn

import (
	"errors"
	"sync"
	"time"

	"golang.org/x/sys/unix"
)

// Forker starts programs.
type Forker struct {
	refusal error
	plain   func() *plain // for what no script can do, made when it is needed

	mu   sync.Mutex
	made *plain
}

// New makes a Forker. It starts programs by scripts, unless plainly is true, or the
// kernel refuses it.
func New(plainly bool) *Forker {
	f := &Forker{}
	if plainly {
		f.refusal = errors.New("it is not wanted")
	} else {
		_, f.refusal = presentThread()
	}
	f.plain = sync.OnceValue(func() *plain {
		f.mu.Lock()
		defer f.mu.Unlock()
		f.made = newPlain()
		return f.made
	})
	return f
}

// Refusal returns why f does not start programs by scripts, nil if it does.
func (f *Forker) Refusal() error { return f.refusal }

// Close frees the resources of f. Everything that it has started must have ended.
func (f *Forker) Close() {
	f.mu.Lock()
	made := f.made
	f.mu.Unlock()
	if made != nil {
		made.close()
	}
}

// Prepare makes the birth of p. What a script cannot do is left to
// [syscall.StartProcess].
func (f *Forker) Prepare(p *Program) *Birth {
	if f.refusal != nil || !expressible(p.Cmd.SysProcAttr) {
		return f.plain().prepare(p)
	}
	t, err := presentThread()
	if err != nil { // what the kernel did before it refuses by now (seccomp(2))
		return f.plain().prepare(p)
	}
	r := newRequest()
	if err := r.prepare(p); err != nil {
		return &Birth{program: p, err: p.failure(err)}
	}
	return &Birth{program: p, script: script{forker: f, request: r, thread: t}}
}

// script is the birth of a child that carries one out.
type script struct {
	forker  *Forker
	request *request
	thread  *thread

	hadChild bool // which came to its end
}

func (s *script) isNone() bool { return s.request == nil }

func (s *script) start() { s.thread.submit(s.request) }

func (s *script) pid() int { return int(s.request.child.Load()) }

func (s *script) wait(d time.Duration) bool { return s.request.await(d) }

func (s *script) result() (pid int, err error) {
	s.thread.forget(s.request)
	if err = s.request.failure(); err == nil {
		return s.pid(), nil
	}
	if pid := s.request.child.Swap(0); pid != 0 {
		s.hadChild = true
		reap(int(pid))
	}
	return 0, err
}

// insteadOf returns what starts the program if err says that the kernel refuses by now to
// fork by a script, although it did before (seccomp(2)).
func (s *script) insteadOf(err error) *plain {
	if s.hadChild || err != unix.ENOSYS && err != unix.EPERM {
		return nil
	}
	s.thread.refuse(err)
	return s.forker.plain()
}

func reap(pid int) {
	for {
		if _, err := unix.Wait4(pid, nil, 0, nil); err != unix.EINTR {
			return
		}
	}
}
