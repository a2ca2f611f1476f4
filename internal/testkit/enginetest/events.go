package enginetest

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/procession-go/procession"
	"github.com/procession-go/procession/internal/testkit"
)

// Events are the events of an engine, as they come.
type Events chan procession.Event

// Collect collects the events of an engine from now on.
func Collect(t testing.TB, e *procession.Engine) Events {
	t.Helper()
	collected := make(Events, 4096)
	seq := e.Events(t.Context())
	done := make(chan struct{})
	go func() {
		defer close(done)
		for event := range seq {
			collected <- event
		}
	}()
	t.Cleanup(func() { <-done })
	return collected
}

// Await waits for an event that holds, and returns what came up to it.
func (c Events) Await(t testing.TB, holds func(procession.Event) bool) (got []procession.Event) {
	t.Helper()
	deadline := time.After(testkit.Patience)
	for {
		select {
		case event := <-c:
			got = append(got, event)
			if holds(event) {
				return got
			}
		case <-deadline:
			require.FailNow(t, "an event does not come", "only %v", got)
		}
	}
}

// AwaitA waits for an event of type T, and returns what came up to it.
func AwaitA[T procession.Event](t testing.TB, c Events) []procession.Event {
	t.Helper()
	return c.Await(t, func(event procession.Event) bool { _, is := event.(T); return is })
}

// Kinds are the types of events, in short: "Started", "Exited".
func Kinds(events []procession.Event) (kinds []string) {
	for _, event := range events {
		kinds = append(kinds, strings.TrimPrefix(fmt.Sprintf("%T", event), "*messages.Process"))
	}
	return kinds
}
