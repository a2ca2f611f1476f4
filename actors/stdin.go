package actors

import (
	"errors"
	"os"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/procession-go/procession/internal/osproc"
	"github.com/procession-go/procession/messages"
)

// Writing to standard input. One write is under way at a time: run.writing. The
// others wait for their turn in p.writes. Their data is not copied: a write refers
// to the sender's memory until it is answered.

// pendingWrite is a WriteStdin or a CloseStdin that waits for its turn or is under
// way.
type pendingWrite struct {
	asker     *actor.PID
	data      []byte
	close     bool
	tooLong   bool // data ends before a line that is too long
	cancelled bool // it was taken back, and is answered when its data is no longer used
}

// written reports that the write that was under way is done, or has failed after n
// bytes.
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
		p.run.stdinClosed = p.spec.PTY == nil                       // for later requests
		p.writes.add(nil, &pendingWrite{asker: asker, close: true}) // a Cancel does not take it back
		p.nextWrite()
	case p.takesStdin(): // it is closed already
		p.answer(asker, &messages.Done{ID: p.id})
	default:
		p.answer(asker, p.refusal(messages.CodeStdinClosed, "cannot close: "+p.noStdin()))
	}
}

func (p *process) takesStdin() bool { return p.spec.Stdin || p.spec.PTY != nil }

// hasStdin reports whether a write can reach the process now.
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

// nextWrite begins the next write.
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
		if p.spec.PTY != nil {
			if refusal := p.typed(w); refusal != nil {
				p.answer(w.asker, refusal)
				continue
			}
		}
		r.writing = w
		r.process.Write(w.data, func(n int, err error) { p.tell(&written{r, n, err}) })
	}
}

// typed turns w into what must be typed at the terminal in its present mode. If
// that cannot be done, it returns why.
func (p *process) typed(w *pendingWrite) *messages.Error {
	modes, err := p.run.process.Modes()
	switch {
	case err != nil: // it is gone: the write will fail
		return nil
	case w.close:
		if w.data = modes.EndOfFile(p.run.line); len(w.data) == 0 {
			return p.refusal(messages.CodeUnsupported, "cannot close: its terminal is in a mode that has no end-of-file; "+
				"write what the program takes for one")
		}
		p.run.line = 0
		return nil
	}
	n, left := modes.Typed(p.run.line, w.data)
	if w.tooLong = n < len(w.data); w.tooLong && n == 0 {
		return p.lineTooLong(0)
	}
	w.data, p.run.line = w.data[:n], left
	return nil
}

// lineTooLong says that n bytes were written, and that the system would drop a part of the
// next line.
func (p *process) lineTooLong(n int) *messages.Error {
	refusal := p.refusal(messages.CodeInvalidRequest, "cannot write: a line is longer than the 4,095 bytes that its "+
		"terminal takes in this mode (stty -icanon has no limit)")
	refusal.Written = n
	return refusal
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
	case m.err == nil && w.tooLong && !w.cancelled:
		p.answer(w.asker, p.lineTooLong(m.n))
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

// tooLate returns the answer to a write whose actor no longer looks after the process.
func (m *written) tooLate() (asker *actor.PID, answer *messages.Error) {
	if m.run == nil || m.run.writing == nil { // it was being answered when the actor failed
		return nil, nil
	}
	w := m.run.writing
	m.run.writing = nil
	return w.asker, &messages.Error{
		Code: messages.CodeStdinClosed, ID: m.run.launch.ID, Written: m.n,
		Message: m.run.launch.ID + ": cannot write: its standard input is closed",
	}
}

// cancelWrites takes back the writes of asker. Each is answered with how much was
// written once its data is no longer used.
func (p *process) cancelWrites(asker *actor.PID) {
	if p.run != nil && p.run.writing != nil && asker.Equal(p.run.writing.asker) {
		p.run.writing.cancelled = true
		p.run.process.InterruptWrite()
	}
	for range p.writes.remove(asker) {
		p.answer(asker, &messages.Done{ID: p.id})
	}
}

// refuseWrites refuses the writes that can no longer reach the process. The write
// that is under way is answered once its data is no longer used.
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
