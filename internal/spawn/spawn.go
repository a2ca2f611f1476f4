package spawn

import (
	"io/fs"
	"os/exec"
	"sync/atomic"
	"time"
)

// Program is what to start.
type Program struct {
	// Cmd says which program: its Path, Args, Env, Dir and SysProcAttr. Its other
	// fields are ignored.
	Cmd *exec.Cmd
	// Files are its descriptors 0, 1 and 2: pipes, terminals, devices. They must stay
	// open until Result. A file on a dead file server would hold up the thread that
	// forks, when that closes its copy.
	Files [3]int
	// Limits are set before the program is executed. A limit that cannot be set is
	// left as it is. Only a script sets them.
	Limits []Limit
}

// Limit is a resource limit (getrlimit(2)).
type Limit struct {
	Resource   int
	Soft, Hard uint64
}

// Birth is a start. It is prepared, under way, or over; it is over once the program
// was executed or could not be.
type Birth struct {
	program *Program
	script  script // if it is scripted

	// If it is not.
	plain *plain
	pid   atomic.Int32
	err   error         // once it is over
	done  chan struct{} // closed then; nil if it could not be prepared
}

// Start begins the birth. It must be called once.
func (b *Birth) Start() {
	switch {
	case !b.script.isNone():
		b.script.start()
	case b.done != nil:
		b.plain.start(b)
	}
}

// PID returns the child's process ID from its fork on, 0 before. If the program could
// not be executed, it is 0 again once the birth is over.
func (b *Birth) PID() int {
	if b.script.isNone() {
		return int(b.pid.Load())
	}
	return b.script.pid()
}

// Wait waits until the birth is over, for d at most, or for ever if d is negative.
// d must be short, because the wait may occupy a P. Wait reports whether the birth
// is over.
func (b *Birth) Wait(d time.Duration) bool {
	switch {
	case !b.script.isNone():
		return b.script.wait(d)
	case b.done == nil:
		return true
	case d < 0:
		<-b.done
		return true
	}
	select {
	case <-b.done:
		return true
	default:
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-b.done:
		return true
	case <-timer.C:
		return false
	}
}

// Result returns the process ID of the child, or why it could not be started, which is an
// [fs.PathError]. It must be called once, when the birth is over.
func (b *Birth) Result() (pid int, err error) {
	if b.script.isNone() {
		return b.PID(), b.err
	}
	pid, err = b.script.result()
	if err == nil {
		return pid, nil
	}
	if plain := b.script.insteadOf(err); plain != nil {
		second := plain.prepare(b.program)
		second.Start()
		second.Wait(-1)
		return second.Result()
	}
	return 0, b.program.failure(err)
}

func (p *Program) failure(err error) error {
	return &fs.PathError{Op: "fork/exec", Path: p.Cmd.Path, Err: err}
}
