package actors

import "sync/atomic"

// workers are goroutines that run the turns of actors. A few of them wait for more when they
// have nothing to do, because the stack of a new goroutine must be grown first, by copying.
type workers struct {
	work    chan *mailbox // to the idle ones
	waiting atomic.Int32
	over    <-chan struct{} // closed: no worker waits any longer
}

// maxIdle is the most workers that wait.
const maxIdle = 4

func newWorkers(over <-chan struct{}) *workers {
	return &workers{work: make(chan *mailbox), over: over}
}

// run has the turns of an actor run.
func (w *workers) run(m *mailbox) {
	select {
	case w.work <- m:
	default:
		go w.loop(m)
	}
}

func (w *workers) loop(m *mailbox) {
	for {
		m.run()
		m = nil // what a released process has printed is not kept
		if w.waiting.Add(1) > maxIdle {
			w.waiting.Add(-1)
			return
		}
		select {
		case m = <-w.work:
			w.waiting.Add(-1)
		case <-w.over:
			return
		}
	}
}
