package osproc

import (
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"slices"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/moby/sys/reexec"
	"golang.org/x/sys/unix"

	"github.com/procession-go/procession/internal/spawn"
)

// guardianName is the argv[0] of a guardian: the engine's own program, executed
// again, to outlive it just long enough to end everything that carries its mark.
const guardianName = "procession-guardian"

func init() { reexec.Register(guardianName, guard) }

// Init runs the guardian if that is what this process is, and returns whether it
// was.
func Init() bool {
	if reexec.Init() {
		return true
	}
	initialized = true
	unblockSignals()
	return false
}

var initialized bool // Init was called: this program can be executed as a guardian

// guard is the guardian: it waits for the end of the engine, which is the end of
// its standard input, and then ends everything of the engine that is left.
func guard() {
	signal.Ignore(syscall.SIGINT, syscall.SIGTERM, syscall.SIGHUP, syscall.SIGQUIT)
	if n, _ := io.Copy(io.Discard, os.Stdin); n > 0 {
		return // the engine has said goodbye: it has left nothing
	}
	engine := os.Args[1]
	for range 2 { // again for what was being forked when the engine died
		poller, err := newPoller()
		if err != nil {
			continue
		}
		h := newHost(engine, poller)
		h.sweep.table.seen = birth{} // it has not seen what it is to end
		h.sweep.close(time.Now())
		time.Sleep(20 * time.Millisecond)
	}
}

// guardian is the engine's side: it keeps a guardian alive.
type guardian struct {
	host   *Host
	life   *os.File // its end tells the guardian that the engine has ended
	theirs end
	lost   func(error)
	over   chan struct{} // closed when there is nothing left to guard
	ended  sync.WaitGroup

	mu  sync.Mutex
	pid int // 0 while there is none
}

// startGuardian starts the guardian of an engine. If it is ended before its time, it
// is started again; lost is called when that does not help at once.
func startGuardian(h *Host, lost func(error)) (*guardian, error) {
	if !initialized {
		return nil, errNotInitialized
	}
	g := &guardian{host: h, lost: lost, over: make(chan struct{})}
	var err error
	if g.theirs, g.life, err = openStdin(); err != nil {
		return nil, err
	}
	p, err := g.start()
	if err != nil {
		g.life.Close()
		g.theirs.close()
		return nil, err
	}
	g.ended.Go(func() { g.keep(p) })
	return g, nil
}

// start executes this program again. The new process leaves the session, so that a
// Ctrl-C meant for the engine does not reach it, and has neither the mark nor the
// variables that the engine itself carries, so that an engine above this one cannot
// end it before its time.
func (g *guardian) start() (*os.Process, error) {
	self := reexec.Command(guardianName, g.host.engine)
	cmd := &exec.Cmd{Path: self.Path, Args: self.Args, Dir: "/", SysProcAttr: &syscall.SysProcAttr{Setsid: true}}
	cmd.Env = slices.DeleteFunc(os.Environ(), func(entry string) bool {
		return strings.HasPrefix(entry, VariableEngine+"=") || strings.HasPrefix(entry, VariableID+"=")
	})
	limits := nobodys()
	b := g.host.forker.Prepare(&spawn.Program{Cmd: cmd, Files: descriptors([3]end{g.theirs, g.host.null, g.host.null}), Limits: limits})
	b.Start()
	b.Wait(-1)
	pid, err := b.Result()
	if err != nil {
		return nil, err
	}
	if g.host.forker.Refusal() != nil {
		for _, limit := range limits {
			apply(pid, limit)
		}
	}
	g.note(pid)
	return os.FindProcess(pid)
}

// note notes that the guardian is pid, or that there is none at present.
func (g *guardian) note(pid int) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.pid = pid
}

// is reports whether pid is the guardian; 0 is not.
func (g *guardian) is(pid int) bool {
	if g == nil || pid == 0 {
		return false
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.pid == pid
}

// alive reports whether there is a guardian at present.
func (g *guardian) alive() bool {
	if g == nil {
		return false
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.pid != 0
}

// keep starts another guardian whenever somebody has ended it: at once if it has
// lived for a while, and after a pause otherwise.
func (g *guardian) keep(p *os.Process) {
	for pause := time.Duration(0); ; {
		begun := time.Now()
		if p != nil {
			awaitExit(p.Pid)
			g.note(0) // before its number is free
			p.Wait()
		}
		if g.isOver() {
			return
		}
		if pause = nextPause(pause, time.Since(begun)); pause > 0 {
			g.lost(fmt.Errorf("the guardian of the engine was ended; another is started in %v", pause))
		}
		select {
		case <-g.over:
			return
		case <-time.After(pause):
		}
		var err error
		if p, err = g.start(); err != nil {
			g.lost(fmt.Errorf("cannot start a guardian of the engine: %w", err))
		}
	}
}

// awaitExit waits until a child has exited, and does not reap it.
func awaitExit(pid int) {
	for unix.Waitid(unix.P_PID, pid, nil, unix.WEXITED|unix.WNOWAIT, nil) == unix.EINTR {
	}
}

// nextPause returns how long to wait before the next guardian is started: not at all after
// one that has lived for a second, and else twice as long as before.
func nextPause(last, lived time.Duration) time.Duration {
	if lived >= time.Second {
		return 0
	}
	return min(max(2*last, 100*time.Millisecond), 30*time.Second)
}

func (g *guardian) isOver() bool {
	select {
	case <-g.over:
		return true
	default:
		return false
	}
}

// close ends the guardian: there is nothing left for it to do. It is killed, because it
// may be starting up still, or stopped; the goodbye is for one that is being started just
// now.
func (g *guardian) close() {
	close(g.over)
	g.life.Write([]byte("goodbye"))
	g.life.Close()
	g.theirs.close()
	g.kill()
	g.ended.Wait()
}

// kill ends the guardian, which is a child that has not been reaped.
func (g *guardian) kill() {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.pid != 0 {
		syscall.Kill(g.pid, syscall.SIGKILL)
	}
}
