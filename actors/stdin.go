package actors

import (
	"errors"
	"os"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/procession-go/procession/internal/osproc"
	"github.com/procession-go/procession/messages"
)

// Writing to standard input: one write is under way at a time, run.writing; the
// others wait their turn in p.writes. Their data stays with who asked: what is
// held here is a reference, until the answer.

// pendingWrite is a WriteStdin or a CloseStdin that waits for its turn, or is
// under way.
type pendingWrite struct {
	asker     *actor.PID
	data      []byte
	close     bool
	cancelled bool // it was interrupted, to be answered when its data is no longer used
}

// written tells that the write that was under way has been done, or has failed
// after n bytes.
type written struct {
	run *run
	n   int
	err error
}

func (p *process) write(asker *actor.PID, m *messages.WriteStdin) {
	if !p.hasStdin() {
		p.answer(asker, p.refusal(messages.CodeStdinClosed, "cannot write: "+p.noStdin()))
		return
	}
	p.writes.add(asker, &pendingWrite{asker: asker, data: m.Data})
	p.nextWrite()
}

func (p *process) closeStdin(asker *actor.PID) {
	switch {
	case p.hasStdin():
		p.run.stdinClosed = p.spec.PTY == nil                       // for whoever comes later
		p.writes.add(nil, &pendingWrite{asker: asker, close: true}) // which is not taken back
		p.nextWrite()
	case p.takesStdin(): // it is closed already
		p.answer(asker, &messages.Done{ID: p.id})
	default:
		p.answer(asker, p.refusal(messages.CodeStdinClosed, "cannot close: "+p.noStdin()))
	}
}

func (p *process) takesStdin() bool { return p.spec.Stdin || p.spec.PTY != nil }

// hasStdin reports whether what is written now can reach the process.
func (p *process) hasStdin() bool {
	return p.takesStdin() && p.run != nil && p.run.status == nil && !p.run.stdinClosed
}

func (p *process) noStdin() string {
	switch {
	case !p.takesStdin():
		return "it was started without standard input"
	case p.run != nil && p.run.stdinClosed:
		return "its standard input was closed"
	}
	return p.notRunning()
}

// nextWrite begins what has its turn.
func (p *process) nextWrite() {
	r := p.run
	for r != nil && r.process != nil && r.writing == nil {
		_, w, ok := p.writes.next()
		if !ok {
			return
		}
		if w.close && p.spec.PTY == nil {
			p.answer(w.asker, p.closed(r.process.CloseStdin()))
			continue
		}
		if w.close {
			w.data = endOfFile(r.lineBegun)
		}
		r.writing = w
		if len(w.data) > 0 {
			r.lineBegun = w.data[len(w.data)-1] != '\n'
		}
		r.process.Write(w.data, func(n int, err error) { p.tell(&written{r, n, err}) })
	}
}

// endOfFile is what is typed at a terminal to end its input (termios(3), VEOF):
// the first such character in a line that has begun only hands over that line.
func endOfFile(lineBegun bool) []byte {
	if lineBegun {
		return []byte{4, 4}
	}
	return []byte{4}
}

func (p *process) closed(err error) any {
	if err != nil {
		return p.refusal(messages.CodeStdinClosed, "cannot close: "+err.Error())
	}
	return &messages.Done{ID: p.id}
}

// written answers the write that was under way.
func (p *process) written(m *written) {
	w := m.run.writing
	m.run.writing = nil
	switch {
	case m.err == nil, w.cancelled && errors.Is(m.err, os.ErrDeadlineExceeded):
		p.answer(w.asker, &messages.Done{ID: p.id, Written: m.n})
	default:
		m.run.stdinClosed = true
		refusal := p.refusal(messages.CodeStdinClosed, "cannot write: its standard input is closed")
		refusal.Written = m.n
		p.answer(w.asker, refusal)
		p.refuseWrites()
	}
	if w.cancelled {
		m.run.process.ResumeWrite()
	}
	p.nextWrite()
	p.advance()
}

// tooLate is what who has written is told when the actor looks after the process no more.
func (m *written) tooLate() (asker *actor.PID, answer *messages.Error) {
	if m.run == nil || m.run.writing == nil { // its answer made the actor fail
		return nil, nil
	}
	w := m.run.writing
	m.run.writing = nil
	return w.asker, &messages.Error{
		Code: messages.CodeStdinClosed, ID: m.run.launch.ID, Written: m.n,
		Message: m.run.launch.ID + ": cannot write: its standard input is closed",
	}
}

// cancelWrites takes back the writes of asker. Each is answered with how much
// was written, when its data is no longer used.
func (p *process) cancelWrites(asker *actor.PID) {
	if p.run != nil && p.run.writing != nil && asker.Equal(p.run.writing.asker) {
		p.run.writing.cancelled = true
		p.run.process.InterruptWrite()
	}
	for range p.writes.remove(asker) {
		p.answer(asker, &messages.Done{ID: p.id})
	}
}

// refuseWrites refuses what can no longer reach the process. What is under way
// is answered when its data is no longer used.
func (p *process) refuseWrites() {
	if p.run != nil && p.run.writing != nil {
		p.run.process.InterruptWrite()
	}
	for _, w := range p.writes.take() {
		if w.what.close {
			p.answer(w.what.asker, &messages.Done{ID: p.id})
		} else {
			p.answer(w.what.asker, p.refusal(messages.CodeStdinClosed, "cannot write: its standard input is closed"))
		}
	}
}

func sizeOf(s messages.Size) osproc.Size { return osproc.Size{Rows: s.Rows, Cols: s.Cols} }
