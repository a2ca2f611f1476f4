//go:build linux

package procession_test

import (
	"context"
	"os"
	"runtime"
	"testing"
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/procession-go/procession"
	"github.com/procession-go/procession/internal/testkit/enginetest"
	"github.com/procession-go/procession/internal/testkit/program"
)

// pids are the process IDs that a tree has printed.
func pids(text string) []int { return program.PIDs(text) }

// backgroundWithin is a context that ends when a helper's patience does.
func backgroundWithin() context.Context {
	ctx, cancel := context.WithCancel(context.Background())
	time.AfterFunc(patience, cancel)
	return ctx
}

// openFiles is how many file descriptors this process has.
func openFiles() int {
	entries, _ := os.ReadDir("/proc/self/fd")
	return len(entries)
}

// settledGoroutines is how many goroutines there are, once they are no more than
// wanted, or it has been the same for a while.
func settledGoroutines(wanted int) int {
	n, same := runtime.NumGoroutine(), 0
	for n > wanted && same < 100 {
		time.Sleep(time.Millisecond)
		if now := runtime.NumGoroutine(); now == n {
			same++
		} else {
			n, same = now, 0
		}
	}
	return n
}

// quick is a policy that does not make a test wait.
var quick = enginetest.Quick

// counting is a line that counts its runs in a file, and then does what a case
// statement on the number of the run says.
func counting(t *testing.T, cases string) procession.Spec { return enginetest.Counting(t, cases) }

// mailbox is an actor that hands on what it gets.
type mailbox struct {
	*enginetest.Asker
	pid *actor.PID
}

func newMailbox(t testing.TB, system *actor.ActorSystem) *mailbox {
	asker := enginetest.NewAsker(t, system)
	return &mailbox{asker, asker.PID}
}

func (m *mailbox) next(t testing.TB) any {
	t.Helper()
	return m.Next(t)
}

func askFor[T any](t testing.TB, m *mailbox, to *actor.PID, request any) T {
	t.Helper()
	return enginetest.Ask[T](t, m.Asker, to, request)
}
