package osproc

import (
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
)

// guardianName is the argv[0] of a guardian: the engine's own program, executed
// again, to outlive it just long enough to end everything that carries its mark.
const guardianName = "procession-guardian"

func init() { reexec.Register(guardianName, guard) }

// Init runs the guardian if that is what this process is, and answers whether it
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
		h := &Host{engine: engine, poller: poller, leaders: map[int]*Process{}}
		s := newSweeper(h)
		s.table.seen = birth{} // it has not seen what it is to end
		s.close(time.Now())
		time.Sleep(20 * time.Millisecond)
	}
}

// guardian is the engine's side: it keeps a guardian alive.
type guardian struct {
	engine string
	life   *os.File // its end tells the guardian that the engine has ended
	theirs *os.File

	mu     sync.Mutex
	closed bool
	cmd    *exec.Cmd
	ended  sync.WaitGroup
}

// startGuardian starts the guardian of an engine.
func startGuardian(engine string) (*guardian, error) {
	if !initialized {
		return nil, errNotInitialized
	}
	g := &guardian{engine: engine}
	var err error
	if g.theirs, g.life, err = os.Pipe(); err != nil {
		return nil, err
	}
	if err := g.start(); err != nil {
		g.life.Close()
		g.theirs.Close()
		return nil, err
	}
	return g, nil
}

// start executes this program again. The new process leaves the session, so that
// a Ctrl-C meant for the engine does not reach it, and drops marks that the
// engine itself carries, so that an engine above this one cannot end it before
// its time.
func (g *guardian) start() error {
	cmd := reexec.Command(guardianName, g.engine)
	cmd.Stdin, cmd.Dir = g.theirs, "/"
	cmd.Env = slices.DeleteFunc(os.Environ(), func(entry string) bool {
		return strings.HasPrefix(entry, MarkEngine+"=") || strings.HasPrefix(entry, MarkID+"=")
	})
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	if err := cmd.Start(); err != nil {
		return err
	}
	g.cmd = cmd
	g.ended.Go(func() { g.wait(cmd) })
	return nil
}

// wait starts another guardian if this one was ended by somebody else.
func (g *guardian) wait(cmd *exec.Cmd) {
	begun := time.Now()
	cmd.Wait()
	g.mu.Lock()
	defer g.mu.Unlock()
	if !g.closed && time.Since(begun) > time.Second { // one that cannot live is not tried again
		g.start()
	}
}

// close ends the guardian: there is nothing left for it to do.
func (g *guardian) close() {
	g.mu.Lock()
	g.closed = true
	g.mu.Unlock()
	g.life.Write([]byte("goodbye"))
	g.life.Close()
	g.theirs.Close()
	g.ended.Wait()
}
