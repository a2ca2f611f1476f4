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

// Obey ends the processes when a signal asks for that, and passes on to them the signals
// that are theirs. That the size of the window changes is one of these, unless they are
// told of it in another way.
func (f *Fleet) Obey(resized bool) {
	theirs := passedOn
	if resized {
		theirs = append(slices.Clip(theirs), windowChange)
	}
	interrupt.Handle(f.signals, func(sig os.Signal) {
		f.endsSoon()
		if sig == os.Interrupt && tty.Interrupts() {
			f.stopAsked(f.interrupt)
		} else {
			f.stopAsked(f.end)
		}
	}, f.Kill)
	interrupt.Each(16, f.passOn, theirs...)
}

// interrupt asks a process to end as its terminal would do at Ctrl-C, if it had one of
// ours. Its stop signal is for who ignores that. Others are killed when the grace is over.
func (f *Fleet) interrupt(id string) {
	ctx := context.Background()
	defer f.Engine.Kill(ctx, id) // what is left of it
	info, err := f.Engine.Info(ctx, id)
	if err != nil || osproc.Ignores(info.PID, syscall.SIGINT) || f.Engine.Signal(ctx, id, syscall.SIGINT) != nil {
		return
	}
	f.mu.Lock()
	grace, cancel := context.WithTimeout(ctx, f.grace)
	f.mu.Unlock()
	defer cancel()
	if _, err := f.Engine.Wait(grace, id); err != nil {
		f.Engine.Signal(ctx, id, syscall.SIGKILL)
	}
}

// passOn passes a signal on that is not for us: to the program that was started, which may
// know what it means, and not to its children, who may die of it. The size of the
// terminal concerns them all.
func (f *Fleet) passOn(sig os.Signal) {
	scope := procession.ScopeLeader
	if sig == windowChange {
		scope = procession.ScopeGroup
	}
	f.mu.Lock()
	ids := f.ids
	f.mu.Unlock()
	for _, id := range ids {
		f.Engine.Signal(context.Background(), id, sig.(syscall.Signal), scope) // it may have ended
	}
}
