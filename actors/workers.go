package actors

import "sync/atomic"

// workers are goroutines that run the turns of actors. Some that have nothing to do any more
// wait for more, because a new one has its stack grown first, by copying.
type workers struct {
	work    chan *mailbox // to those that wait
	waiting atomic.Int32
	over    <-chan struct{} // nobody is to wait any more
}

// maxIdle is how many workers wait at the most.
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
