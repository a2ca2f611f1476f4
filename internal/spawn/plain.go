package spawn

import (
	"os/exec"
	"runtime"
	"slices"
	"sync"
	"syscall"
)

// plain starts programs by [syscall.StartProcess]. Where there is a parent-death
// signal it does so from goroutines that are locked to their threads for as long as
// it lives: that signal is tied to the thread that forked (prctl(2), golang/go#27505).
type plain struct {
	mu      sync.Mutex
	some    *sync.Cond
	waiting []func()
	closed  bool
	threads sync.WaitGroup
}

func newPlain() *plain {
	p := &plain{}
	p.some = sync.NewCond(&p.mu)
	for range min(runtime.GOMAXPROCS(0), 4) {
		p.threads.Go(p.run)
	}
	return p
}

// run starts programs on one thread, which ends with this goroutine.
func (p *plain) run() {
	lockThread()
	for {
		p.mu.Lock()
		for len(p.waiting) == 0 && !p.closed {
			p.some.Wait()
		}
		if len(p.waiting) == 0 {
			p.mu.Unlock()
			return
		}
		next := p.waiting[0]
		p.waiting = slices.Delete(p.waiting, 0, 1)
		p.mu.Unlock()
		next()
	}
}

func (p *plain) prepare(what *Program) *Birth {
	return &Birth{program: what, plain: p, done: make(chan struct{})}
}

func (p *plain) start(b *Birth) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.waiting = append(p.waiting, func() {
		defer close(b.done)
		var pid int
		pid, b.err = startProcess(b.program)
		b.pid.Store(int32(pid))
	})
	p.some.Signal()
}

// close ends the threads, when all that was asked for is started.
func (p *plain) close() {
	p.mu.Lock()
	p.closed = true
	p.mu.Unlock()
	p.some.Broadcast()
	p.threads.Wait()
}

// startProcess is os/exec without what that does besides.
func startProcess(p *Program) (pid int, err error) {
	attr := syscall.ProcAttr{Dir: p.Cmd.Dir, Env: environment(p.Cmd), Sys: p.Cmd.SysProcAttr}
	for _, fd := range p.Files {
		attr.Files = append(attr.Files, uintptr(fd))
	}
	pid, _, err = syscall.StartProcess(p.Cmd.Path, arguments(p.Cmd), &attr)
	if err != nil {
		return 0, p.failure(err)
	}
	return pid, nil
}

func arguments(cmd *exec.Cmd) []string {
	if len(cmd.Args) > 0 {
		return cmd.Args
	}
	return []string{cmd.Path}
}

// environment returns what the program is to see; cmd has one, unless it is os/exec's
// default.
func environment(cmd *exec.Cmd) []string {
	if cmd.Env == nil {
		return syscall.Environ()
	}
	return cmd.Env
}
