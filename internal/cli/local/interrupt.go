package local

import (
	"context"
	"os"
	"slices"
	"syscall"

	"github.com/procession-go/procession"
	"github.com/procession-go/procession/internal/cli/interrupt"
	"github.com/procession-go/procession/internal/osproc"
	"github.com/procession-go/procession/internal/tty"
)

// Obey does what signals ask for. Those that ask this program to end, end the processes:
// Ctrl-C at a terminal is a SIGINT for them, the others have them stopped; what counts as a
// second request kills them. SIGUSR1 and SIGUSR2 are passed on to them, and so is SIGWINCH
// if resized says so.
func (r *Runner) Obey(resized bool) {
	theirs := passedOn
	if resized {
		theirs = append(slices.Clip(theirs), windowChange)
	}
	interrupt.Handle(r.signals, func(sig os.Signal) {
		r.endsSoon()
		if sig == os.Interrupt && tty.Interrupts() {
			r.stopAsked(r.interrupt)
		} else {
			r.stopAsked(r.end)
		}
	}, r.Kill)
	interrupt.Each(16, r.passOn, theirs...)
}

// interrupt asks a process to end as its terminal would do at Ctrl-C, if it had one of
// ours. Its stop signal is for who ignores that. Others are killed when the grace is over.
func (r *Runner) interrupt(id string) {
	ctx := context.Background()
	defer r.Engine.Kill(ctx, id) // what is left of it
	info, err := r.Engine.Info(ctx, id)
	if err != nil || osproc.Ignores(info.PID, syscall.SIGINT) || r.Engine.Signal(ctx, id, syscall.SIGINT) != nil {
		return
	}
	r.mu.Lock()
	grace, cancel := context.WithTimeout(ctx, r.grace)
	r.mu.Unlock()
	defer cancel()
	if _, err := r.Engine.Wait(grace, id); err != nil {
		r.Engine.Signal(ctx, id, syscall.SIGKILL)
	}
}

// passOn passes a signal on that is not for us: to the program that was started, which may
// know what it means, and not to its children, who may die of it. The size of the
// terminal concerns them all.
func (r *Runner) passOn(sig os.Signal) {
	scope := procession.ScopeLeader
	if sig == windowChange {
		scope = procession.ScopeGroup
	}
	r.mu.Lock()
	ids := r.ids
	r.mu.Unlock()
	for _, id := range ids {
		r.Engine.Signal(context.Background(), id, sig.(syscall.Signal), scope) // it may have ended
	}
}
