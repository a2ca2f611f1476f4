package actors

import (
	"context"
	"testing"
	"time"

	"github.com/procession-go/procession/messages"
)

// An attempt over the network is not waited for as long as the probe is; one of a
// command is.
func TestHowLongAnAttemptMayTake(t *testing.T) {
	a := attempts{spec: messages.Probe{TCP: "localhost:1", HTTP: "http://localhost:1/", Exec: []string{"true", "x y"}}}
	conditions := a.conditions()
	if len(conditions) != 3 {
		t.Fatalf("%+v", conditions)
	}
	for i, want := range []struct {
		name string
		most time.Duration
	}{{"localhost:1", maxAnswer}, {"http://localhost:1/", maxAnswer}, {`["true" "x y"]`, 0}} {
		c := conditions[i]
		c.try = func(ctx context.Context) error {
			deadline, bounded := ctx.Deadline()
			if left := time.Until(deadline); bounded != (want.most > 0) || bounded && (left > want.most || left < want.most/2) {
				t.Errorf("%s may take %v (%v)", c.name, left, bounded)
			}
			return nil
		}
		if err := c.attempt(context.Background()); err != nil || c.name != want.name {
			t.Errorf("%s: %v", c.name, err)
		}
	}
}
