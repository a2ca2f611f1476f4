package actors

import (
	"errors"
	"io/fs"
	"os"
	"slices"
	"strconv"
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/procession-go/procession/messages"
)

// Queries, which are answered at once in every state, and readers, which wait for
// output.

func quote(s string) string { return strconv.Quote(s) }

// segments appends to room what is retained from an offset on. It also returns the
// streams in which that begins with a fragment of a line.
func (p *process) segments(room []messages.Segment, from int64, limit int) (segments []messages.Segment, fragments []messages.Stream) {
	n := p.log.Count(from, limit)
	if n == 0 {
		return nil, nil
	}
	segments = slices.Grow(room, n)
	for s := range p.log.Segments(from, limit) {
		for stream, torn := range s.Torn {
			if torn {
				fragments = append(fragments, messages.Stream(stream))
			}
		}
		segments = append(segments, messages.Segment{Stream: messages.Stream(s.Stream), Offset: s.Offset, Data: s.Data})
	}
	return segments, fragments
}

// outputReady answers the readers for which there is output. While others still
// wait, it is called again when there is more.
func (p *process) outputReady() {
	end := p.log.End()
	p.serveReads()
	if p.reads.count() > 0 {
		p.awaitOutput(end)
	}
}

// awaitOutput has outputReady called once there is output after end.
func (p *process) awaitOutput(end int64) {
	if p.log.Await(end) {
		p.tell(&moreOutput{})
	}
}

func (p *process) getOutput(asker *actor.PID) {
	var answer struct { // allocated as one
		messages.Output
		exit messages.Exit
	}
	o := &answer.Output
	o.Segments, _ = p.segments(nil, 0, 0)
	o.Exit = p.endedIn(&answer.exit)
	o.Dropped = p.from(0, o.Segments)
	p.answer(asker, o)
}

// from returns the offset at which the output begins that was read from a cursor
// on. The log may grow meanwhile.
func (p *process) from(cursor int64, segments []messages.Segment) int64 {
	if len(segments) > 0 {
		return segments[0].Offset
	}
	return max(cursor, p.log.First())
}

// read answers at once if there is output at the cursor, if none will come, or if
// the reader does not wait.
func (p *process) read(asker *actor.PID, o messages.ReadOptions) {
	switch end := p.log.End(); {
	case o.Cursor < 0:
		p.answer(asker, p.refusal(messages.CodeInvalidRequest, "cursor "+strconv.FormatInt(o.Cursor, 10)+" is negative"))
	case o.Cursor > end:
		p.answer(asker, p.refusal(messages.CodeInvalidRequest, "cursor "+strconv.FormatInt(o.Cursor, 10)+
			" is beyond the end of the output, "+strconv.FormatInt(end, 10)))
	case o.MaxBytes < 0:
		p.answer(asker, p.refusal(messages.CodeInvalidRequest, "max bytes "+strconv.Itoa(o.MaxBytes)+" is negative"))
	case o.Cursor < end || p.exit != nil || o.Wait == 0:
		p.askedFrom(o.Cursor)
		p.answer(asker, p.chunk(o))
	default:
		p.askedFrom(o.Cursor)
		read := &pendingRead{asker: asker, options: o}
		if o.Wait > 0 {
			read.timer = time.AfterFunc(o.Wait, func() { p.tell(&readElapses{read}) })
		}
		p.reads.add(asker, read)
		p.awaitOutput(end)
	}
}

// askedFrom drops what lies before a reader's cursor, and lets the process go on if it waited
// for that room. The pipes are not read in this turn, because a caller's goroutine may run
// it.
func (p *process) askedFrom(cursor int64) {
	if p.log.Asked(cursor) && p.run != nil && p.run.process != nil {
		go p.run.process.ReadOn()
	}
}

func (p *process) chunk(o messages.ReadOptions) *messages.Chunk {
	var answer struct { // one allocation, because reads are frequent
		messages.Chunk
		exit messages.Exit
		room [2]messages.Segment
	}
	c := &answer.Chunk
	c.Segments, c.Fragments = p.segments(answer.room[:0], o.Cursor, o.MaxBytes)
	c.Exit = p.endedIn(&answer.exit)
	c.Next = p.from(o.Cursor, c.Segments)
	c.Dropped = c.Next - o.Cursor
	for _, s := range c.Segments {
		c.Next += int64(len(s.Data))
	}
	if p.restarts > 0 {
		c.Marks = p.log.Boundaries(max(1, o.Cursor+c.Dropped), c.Next)
	}
	c.EOF = p.exit != nil && c.Next == p.log.End()
	return c
}

// serveReads answers the reads for which there is output now.
func (p *process) serveReads() {
	p.reads.keep(func(r *pendingRead) bool {
		switch {
		case r.answered:
			return false
		case r.options.Cursor >= p.log.End() && p.exit == nil:
			return true
		}
		p.answerRead(r, p.chunk(r.options))
		return false
	})
	p.elapsed = 0
}

func (p *process) answerRead(r *pendingRead, answer any) {
	stopTimer(r.timer)
	r.answered = true
	p.answer(r.asker, answer)
}

// readElapses has the output that has come by now put into the log before the read is
// answered.
func (p *process) readElapses(read *pendingRead) {
	if read.answered || p.run == nil || p.run.process == nil {
		p.readElapsed(read)
		return
	}
	of := p.run.process
	go func() {
		of.Look()
		p.tell(&readElapsed{read})
	}()
}

// readElapsed answers a read for which nothing has come in time. Such reads are removed
// later, many at once.
func (p *process) readElapsed(read *pendingRead) {
	if read.answered {
		return
	}
	p.answerRead(read, p.chunk(read.options))
	if p.elapsed++; p.elapsed > p.reads.count()/2 {
		p.reads.keep(func(r *pendingRead) bool { return !r.answered })
		p.elapsed = 0
	}
}

func (p *process) wait(asker *actor.PID) {
	if p.exit != nil {
		p.answer(asker, p.ended())
		return
	}
	p.waiters.add(asker, struct{}{})
}

func (p *process) monitor(asker *actor.PID) {
	switch {
	case p.exit != nil:
		p.answer(asker, &messages.ProcessDown{ID: p.id, Exit: *p.exit})
	case asker != nil && !p.monitors.has(asker):
		p.monitors.add(asker, struct{}{})
	}
}

func (p *process) demonitor(asker *actor.PID) {
	if asker != nil {
		p.monitors.remove(asker)
	}
	p.answer(asker, &messages.Done{ID: p.id})
}

// signal sends a signal to a leader that has not ended, or to its process group.
func (p *process) signal(asker *actor.PID, m *messages.SendSignal) {
	switch {
	case m.Signal <= 0 || m.Signal > 64:
		p.answer(asker, p.refusal(messages.CodeInvalidRequest, "signal "+strconv.Itoa(int(m.Signal))+" is no signal"))
		return
	case m.Scope > messages.ScopeLeader:
		p.answer(asker, p.refusal(messages.CodeInvalidRequest, "scope "+strconv.Itoa(int(m.Scope))+" is no scope"))
		return
	case p.run == nil || p.run.process == nil || p.run.status != nil:
		p.answer(asker, p.refusal(messages.CodeExited, "cannot signal: "+p.notRunning()))
		return
	}
	send := p.run.process.Signal
	if m.Scope == messages.ScopeLeader {
		send = p.run.process.SignalLeader
	}
	switch err := send(m.Signal); {
	case errors.Is(err, os.ErrProcessDone):
		p.answer(asker, p.refusal(messages.CodeExited, "cannot signal: it has ended"))
	case errors.Is(err, fs.ErrPermission):
		p.answer(asker, p.refusal(messages.CodeDenied, "cannot signal: "+err.Error()))
	case err != nil:
		p.answer(asker, p.refusal(messages.CodeUnsupported, "cannot signal: "+err.Error()))
	default:
		p.answer(asker, &messages.Done{ID: p.id})
	}
}

// notRunning says why the process cannot be signalled.
func (p *process) notRunning() string {
	switch {
	case p.exit != nil:
		return "it has ended (" + p.exit.String() + ")"
	case p.state == backingOff || p.state == clearing:
		return "it has ended, and waits to be started again"
	case p.state == starting:
		return "it is being started"
	}
	return "it is ending"
}

func (p *process) resize(asker *actor.PID, m *messages.ResizeTerminal) {
	switch {
	case p.spec.PTY == nil:
		p.answer(asker, p.refusal(messages.CodeNoTerminal, "cannot resize: it has no terminal"))
		return
	case p.run == nil || p.run.process == nil || p.run.status != nil:
		p.answer(asker, p.refusal(messages.CodeExited, "cannot resize: "+p.notRunning()))
		return
	}
	if err := p.run.process.Resize(sizeOf(m.Size)); err != nil {
		p.answer(asker, p.refusal(messages.CodeNoTerminal, "cannot resize: "+err.Error()))
		return
	}
	size := m.Size
	p.spec.PTY = &size // for the incarnations to come, too
	p.answer(asker, &messages.Done{ID: p.id})
}

// cancel takes back the requests of the asker that still wait.
func (p *process) cancel(asker *actor.PID) {
	if asker == nil {
		return
	}
	p.waiters.remove(asker)
	p.killers.remove(asker)
	p.readiness.remove(asker)
	for _, r := range p.reads.remove(asker) {
		stopTimer(r.timer)
		r.answered = true
	}
	p.cancelWrites(asker)
}

// refuseAll refuses all requests that still wait.
func (p *process) refuseAll(code messages.Code, why string) {
	p.refuseWrites()
	if p.starter == nil && p.waiters.count()+p.killers.count()+p.readiness.count()+p.reads.count()+p.monitors.count() == 0 {
		return
	}
	refusal := p.refusal(code, why)
	p.answerStarter(refusal)
	for _, all := range []*askers{&p.waiters, &p.killers, &p.readiness} {
		p.answerAll(all, refusal)
	}
	for _, r := range p.reads.take() {
		if !r.what.answered {
			p.answerRead(r.what, refusal)
		}
	}
	p.answerAll(&p.monitors, &messages.ProcessDown{
		ID: p.id, Exit: messages.Exit{Code: -1, Cause: messages.CauseCrashed, Reason: refusal.Message, Time: time.Now()},
	})
}
