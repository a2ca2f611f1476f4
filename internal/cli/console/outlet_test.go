//go:build unix

package console

import (
	"bytes"
	"io"
	"math/rand/v2"
	"os"
	"testing"
	"time"

	"github.com/procession-go/procession/internal/testkit"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestReader(t *testing.T) {
	const s = time.Second
	type step struct {
		at   time.Duration
		seen flow
		idle time.Duration
	}
	for name, steps := range map[string][]step{
		"nobody reads":           {{0, flow{9, 9, true}, 0}, {5 * s, flow{9, 9, true}, 5 * s}, {6 * s, flow{9, 9, true}, 6 * s}},
		"one byte":               {{0, flow{9, 9, true}, 0}, {5 * s, flow{9, 8, true}, 0}, {6 * s, flow{9, 8, true}, 1 * s}},
		"a page, and one more":   {{0, flow{9, 9, true}, 0}, {5 * s, flow{12, 9, true}, 0}, {6 * s, flow{12, 9, true}, 1 * s}},
		"the pipe fills":         {{0, flow{3, 3, true}, 0}, {5 * s, flow{9, 9, true}, 5 * s}},
		"somebody else fills it": {{0, flow{3, 3, true}, 0}, {4 * s, flow{3, 9, true}, 4 * s}, {5 * s, flow{3, 8, true}, 0}},
		"it cannot be known":     {{0, flow{3, 0, true}, 0}, {4 * s, flow{3, 0, true}, 4 * s}, {5 * s, flow{4, 0, true}, 0}},
		"nothing to be taken":    {{0, flow{3, 0, true}, 0}, {4 * s, flow{3, 0, false}, 0}, {5 * s, flow{3, 0, true}, 1 * s}},
		"unread, nothing more":   {{0, flow{3, 3, false}, 0}, {4 * s, flow{3, 3, false}, 4 * s}, {5 * s, flow{3, 3, true}, 5 * s}},
	} {
		t.Run(name, func(t *testing.T) {
			begin := time.Now()
			r := reader{taken: steps[0].seen.written - steps[0].seen.unread, since: begin}
			for i, step := range steps {
				assert.Equal(t, step.idle, r.saw(step.seen, begin.Add(step.at)), "step %d", i)
			}
		})
	}
}

// pipe is an outlet to a pipe, and its other end.
func pipe(t *testing.T) (*Outlet, *os.File) {
	t.Helper()
	r, w, err := os.Pipe()
	require.NoError(t, err)
	t.Cleanup(func() {
		r.Close()
		w.Close()
	})
	return NewOutlet(w), r
}

func TestAnOutletPassesOnEverything(t *testing.T) {
	o, r := pipe(t)
	want := make([]byte, 1_000_000)
	rand.NewChaCha8([32]byte{1}).Read(want)
	got := make(chan []byte)
	go func() {
		all, _ := io.ReadAll(r)
		got <- all
	}()
	for rest := want; len(rest) > 0; {
		n := min(len(rest), 150_001)
		k, err := o.Write(rest[:n])
		require.NoError(t, err)
		require.Equal(t, n, k)
		rest = rest[n:]
	}
	o.File.Close()
	assert.True(t, bytes.Equal(want, <-got), "other bytes came than were written")
	assert.Zero(t, o.losses())
	assert.EqualValues(t, len(want), o.written)
}

func TestAnOutletThatIsGivenUp(t *testing.T) {
	o, r := pipe(t)
	const n = 1_000_000
	written := make(chan error)
	data := bytes.Repeat([]byte("x"), n)
	go func() {
		_, err := o.Write(data)
		written <- err
	}()
	testkit.Eventually(t, func(c *assert.CollectT) {
		f := o.flow()
		assert.True(c, f.waiting, "it does not wait")
		assert.GreaterOrEqual(c, f.written, int64(60_000))
	})
	o.giveUp()
	require.NoError(t, <-written)
	clear(data) // which is no more the outlet's
	k, err := o.Write([]byte("more"))
	require.NoError(t, err)
	require.Equal(t, 4, k)
	f := o.flow()
	assert.False(t, f.waiting)
	assert.EqualValues(t, n+4, f.written+o.losses())
	o.File.Close() // when the write that waits has been done
	all, err := io.ReadAll(r)
	require.NoError(t, err)
	assert.Equal(t, len(all), bytes.Count(all, []byte("x")))
}

func TestAnOutletWhoseReaderIsGone(t *testing.T) {
	o, r := pipe(t)
	r.Close()
	k, err := o.Write([]byte("text"))
	assert.Zero(t, k)
	assert.True(t, IsBrokenPipe(err), "%v", err)
	assert.Zero(t, o.losses())
}
