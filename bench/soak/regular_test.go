//go:build linux

package soak

import (
	"cmp"
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/procession-go/procession/internal/testkit"
)

// regular is a client whose session lasts as long as the soak. It makes calls that wait,
// and closes the socket of each; nothing may wait for it then.
type regular struct {
	*client
	id string // of what it waits for
}

func newRegular(t *testing.T, s *server) *regular {
	t.Helper()
	r := &regular{client: newClient(s.url, s.engine, visitors)}
	require.NoError(t, r.begin())
	t.Cleanup(func() { r.wire.cut() })
	return r
}

// begin begins its session, another one if this machine was too busy for it to make a
// request in time.
func (r *regular) begin() (err error) {
	if r.wire != nil {
		r.wire.cut()
	}
	r.pids = nil
	if err := r.arrive(); err != nil {
		return err
	}
	r.id, err = r.start("exec sleep 100000", nil)
	return err
}

// do counts what was done.
func (r *regular) do(what string, deed func() error) {
	r.try(what, func() error {
		err := deed()
		if errors.Is(err, errExpired) {
			err = cmp.Or(r.begin(), err)
		}
		return err
	})
}

// stay makes such calls until the others have left. Who has died leaves zombies to this
// program.
func (r *regular) stay(left <-chan struct{}) {
	seconds := time.NewTicker(time.Second)
	defer seconds.Stop()
	for {
		select {
		case <-left:
			return
		case <-seconds.C:
			testkit.Reap()
		case <-time.After(tick):
			r.do("abandoned a call", r.abandon)
		}
	}
}

// abandon makes one on a connection of its own.
func (r *regular) abandon() error {
	own := r.wire.(*httpWire)
	other := openHTTP(own.url)
	other.session = own.session
	defer other.cut()
	r.wire = other
	defer func() { r.wire = own }()
	return r.waitFor(r.id)
}

// alone waits until nothing runs but its own, of what engines of such names have started.
func (r *regular) alone(t *testing.T, name string) {
	t.Helper()
	assert.EventuallyWithT(t, func(c *assert.CollectT) {
		r.list()
		assert.Subset(c, r.pids, startedBy(name))
	}, idle+testkit.Patience, tick, "no processes are left")
}

// list makes a request, so that its session is not idle.
func (r *regular) list() {
	r.do("listed", func() error {
		_, err := r.call("list_processes", arguments{})
		return err
	})
}
