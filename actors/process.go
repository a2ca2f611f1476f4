package actors

import (
	"fmt"
	"log/slog"
	"runtime/debug"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/procession-go/procession/internal/osproc"
	"github.com/procession-go/procession/messages"
)

// process is the actor that looks after one process. All its state is in its
// record, with which a new incarnation of the actor goes on.
type process struct{ *record }

// Receive dispatches. What happens in which state is in lifecycle.go.
func (p *process) Receive(ctx actor.Context) {
	defer p.refuseOnPanic(ctx)
	asker := ctx.Sender()
	if p.failed {
		p.refuse(ctx)
		return
	}
	switch m := ctx.Message().(type) {
	case *actor.Started:
		p.begin()
	case *actor.Restarting:
		p.crash()
	case *actor.Stopping:
		p.abandon()
	case *actor.Stopped:
		p.mailbox.stop(ctx.Self())
		p.log, p.last = nil, nil // the record may be held long after the actor has stopped

	case *osproc.Started:
		p.started()
	case *osproc.StartFailed:
		p.startFailed(m.Err)
	case *osproc.OutputReady, *moreOutput:
		p.outputReady()
	case *osproc.OutputEnded:
		p.outputEnded(m)
	case *osproc.LeaderExited:
		p.leaderExited(m)
	case *osproc.OutputSilent:
		p.outputSilent(m)
	case *osproc.Killed:
		p.killed(m)
	case *osproc.TreeGone:
		p.treeGone(m)
	case *leftGone:
		p.leftAliveGone()
	case *written:
		p.written(m)
	case *patternFound:
		p.patternFound(m)
	case *probed:
		p.probed(m)
	case *probeEnded:
		p.probeEnded(m.run)

	case *timeoutElapsed:
		p.timeoutElapsed(m.run)
	case *backoffElapsed:
		p.backoffElapsed()
	case *notReady:
		p.notReady(m.run)
	case *readElapses:
		p.readElapses(m.read)
	case *readElapsed:
		p.readElapsed(m.read)

	case *endProcess:
		p.endProcess(m)
	case *messages.KillProcess:
		p.kill(asker, m.KillOptions)
	case *messages.SendSignal:
		p.signal(asker, m)
	case *messages.ResizeTerminal:
		p.resize(asker, m)
	case *messages.WriteStdin:
		p.write(asker, m)
	case *messages.CloseStdin:
		p.closeStdin(asker)

	case *messages.GetInfo:
		p.answer(asker, p.info())
	case *messages.GetOutput:
		p.getOutput(asker)
	case *messages.ReadOutput:
		p.read(asker, m.ReadOptions)
	case *messages.WaitExit:
		p.wait(asker)
	case *messages.WaitReady:
		p.waitReady(asker)
	case *messages.Monitor:
		p.monitor(asker)
	case *messages.Demonitor:
		p.demonitor(asker)
	case *messages.Cancel:
		p.cancel(asker)
	default:
		p.answer(asker, noRequest(m))
	}
}

// refuse refuses all requests to an actor that has failed too often.
func (p *process) refuse(ctx actor.Context) {
	if late, is := ctx.Message().(*written); is {
		p.answer(late.tooLate())
		return
	}
	p.answer(ctx.Sender(), p.refusal(messages.CodeFailed, "its actor has failed too often"))
}

// refuseOnPanic answers the sender of the message that made the actor panic. The
// panic goes on to the supervisor.
func (p *process) refuseOnPanic(ctx actor.Context) {
	if reason := recover(); reason != nil {
		p.config.log(slog.LevelError, "process actor failed", "id", p.id, "state", p.state, "reason", reason, "stack", string(debug.Stack()))
		p.cancel(ctx.Sender()) // it is answered here, and not again
		p.answer(ctx.Sender(), p.refusal(messages.CodeFailed, fmt.Sprintf("process actor failed: %v", reason)))
		panic(reason)
	}
}

func (p *process) answer(to *actor.PID, message any) { p.config.outbox.send(to, message) }

// answerAll answers all askers and removes them.
func (p *process) answerAll(all *askers, message any) {
	for _, w := range all.take() {
		p.answer(w.asker, message)
	}
}

func (p *process) answerExit(all *askers) {
	for _, w := range all.take() {
		p.answer(w.asker, p.ended())
	}
}

func (p *process) refusal(code messages.Code, message string) *messages.Error {
	return &messages.Error{Code: code, ID: p.id, Message: p.id + ": " + message}
}

// tell sends the actor a message from itself. Any goroutine may call it.
func (p *process) tell(message any) { p.mailbox.post(message) }

func (p *process) publish(event messages.Event) { p.config.outbox.publish(event) }
