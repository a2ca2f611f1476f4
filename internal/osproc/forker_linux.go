package osproc

import (
	"os/exec"
	"runtime"
	"sync"
	"syscall"
)

// forker starts leaders from goroutines that are locked to their threads for as
// long as the host lives. The parent-death signal that protects a leader from
// outliving the engine is tied to the *thread* that forked it, not to the
// process (prctl(2), golang/go#27505): forked from an ordinary goroutine, a
// healthy leader would be killed whenever the runtime ends that thread.
type forker struct {
	starts chan *startRequest
	done   sync.WaitGroup
}

type startRequest struct {
	cmd    *exec.Cmd
	result chan error
}

func newForker() *forker {
	f := &forker{starts: make(chan *startRequest)}
	for range min(runtime.GOMAXPROCS(0), 4) {
		f.done.Go(f.run)
	}
	return f
}

func (f *forker) run() {
	runtime.LockOSThread() // for good: the thread ends with this goroutine
	for request := range f.starts {
		request.result <- request.cmd.Start()
	}
}

// start starts cmd and fills in l.
func (f *forker) start(cmd *exec.Cmd, l *leader) error {
	l.fd = -1
	cmd.SysProcAttr.PidFD = &l.fd
	cmd.SysProcAttr.Pdeathsig = syscall.SIGKILL
	request := &startRequest{cmd, make(chan error, 1)}
	f.starts <- request
	if err := <-request.result; err != nil {
		return err
	}
	l.attach(cmd)
	return nil
}

// close ends the threads; every leader must have exited.
func (f *forker) close() {
	close(f.starts)
	f.done.Wait()
}
