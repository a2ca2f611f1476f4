//go:build linux

package soak

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/procession-go/procession"
	"github.com/procession-go/procession/internal/testkit"
)

// length is how long the soak takes.
type length time.Duration

var soak = length(3 * time.Second)

func init() { flag.Var(&soak, "soak", "soak for `duration`, two minutes if none is given") }

// String is the duration.
func (l *length) String() string { return time.Duration(*l).String() }

// Set parses a duration; "true" is what the flag package says for none.
func (l *length) Set(text string) error {
	if text == "true" {
		*l = length(2 * time.Minute)
		return nil
	}
	d, err := time.ParseDuration(text)
	*l = length(d)
	return err
}

// IsBoolFlag lets the flag be given without a value.
func (l *length) IsBoolFlag() bool { return true }

const callers = 32

// TestSoak: 32 callers do at random what there is to do. In the end there is no
// process, goroutine, descriptor or megabyte more than at the beginning.
func TestSoak(t *testing.T) {
	testkit.Needs(t, "setsid", "yes")
	const name = "procession-soak"
	run(t, fmt.Sprintf("%s-%d-warm", name, os.Getpid()), min(time.Second/2, time.Duration(soak)))
	before := settled(measure, lingering)
	id := fmt.Sprintf("%s-%d", name, os.Getpid())
	run(t, id, time.Duration(soak))
	assert.Empty(t, testkit.Marked(id), "processes are left")
	after := measure()
	// Not by EventuallyWithT, which has a goroutine of its own: that would be counted.
	for begin := time.Now(); after.beyond(before, 1024) != "" && time.Since(begin) < 10*time.Second; time.Sleep(tick) {
		after = measure()
	}
	t.Logf("before %+v, after %+v", before, after)
	if !assert.Empty(t, after.beyond(before, 1024), "is left") {
		stacks := make([]byte, 1<<20)
		t.Logf("%s", stacks[:runtime.Stack(stacks, true)])
	}
}

// run soaks one engine. Nothing of it is kept until the end of the test, as the kit's would
// be: its memory would be counted.
func run(t *testing.T, id string, d time.Duration) {
	t.Helper()
	e, err := procession.New(procession.WithID(id), procession.WithGrace(500*time.Millisecond), procession.WithRetention(50, 0))
	require.NoError(t, err)
	ctx, cancel := context.WithTimeout(context.Background(), d)
	defer cancel()
	tallies := make([]tally, callers)
	var all sync.WaitGroup
	for i := range tallies {
		all.Go(func() {
			c := caller{engine: e, name: strconv.Itoa(i), random: rand.New(rand.NewPCG(uint64(i), 7)), tally: &tallies[i]}
			for ctx.Err() == nil {
				c.life(ctx)
			}
		})
	}
	all.Wait()
	var sum tally
	for _, one := range tallies {
		sum.add(one)
	}
	t.Logf("in %v: %+v", d, sum)
	assert.Empty(t, sum.unexpected, "unexpected")
	assert.NotZero(t, sum.started, "nothing was started")
	end, cancelEnd := context.WithTimeout(context.Background(), testkit.Patience)
	defer cancelEnd()
	_, err = e.Shutdown(end)
	require.NoError(t, err)
}

// tally is what was done.
type tally struct {
	started, killed, released, waited, read, written, listed, cancelled int
	unexpected                                                          []error
}

func (t *tally) add(o tally) {
	t.started += o.started
	t.killed += o.killed
	t.released += o.released
	t.waited += o.waited
	t.read += o.read
	t.written += o.written
	t.listed += o.listed
	t.cancelled += o.cancelled
	t.unexpected = append(t.unexpected, o.unexpected...)
}

// oneLine is what a terminal takes, too.
var oneLine = strings.Repeat("x", 99) + "\n"

// caller is one of those who use the engine.
type caller struct {
	engine *procession.Engine
	name   string
	random *rand.Rand
	tally  *tally
}

// spec is one of the kinds of processes that there are.
func (c *caller) spec() procession.Spec {
	restart := procession.Policy{When: procession.Always, MaxRestarts: 3, MinBackoff: time.Millisecond, MaxBackoff: 5 * time.Millisecond}
	switch c.random.IntN(11) {
	case 0:
		return procession.Spec{Command: "true"}
	case 1:
		return procession.Spec{Command: "sleep", Args: []string{"60"}}
	case 2: // a flood
		return procession.Spec{Command: "yes", OutputLimit: 64 << 10}
	case 3:
		return procession.Spec{Command: "head", Args: []string{"-c", "3M", "/dev/zero"}}
	case 4: // a tree
		return procession.Shell("sleep 60 & sleep 60 & echo two; wait")
	case 5: // a descendant that leaves its group, and its parent
		return procession.Shell("setsid sleep 60 & exit 3")
	case 6:
		return procession.Spec{Command: "cat", Stdin: true}
	case 7: // one that must be told twice
		s := procession.Shell("trap '' TERM; echo deaf; while :; do sleep 0.05; done")
		s.Grace = 50 * time.Millisecond
		return s
	case 8:
		return procession.Spec{Command: "false", Restart: restart}
	case 9:
		s := procession.Shell("echo again; sleep 0.01; kill -9 $$")
		s.Restart = restart
		return s
	default:
		return procession.Spec{Command: "cat", PTY: &procession.Size{Rows: 24, Cols: 80}, Timeout: 30 * time.Millisecond}
	}
}

// life starts a process, does a few things to it, and releases it; at the end of
// the soak that is left to Shutdown.
func (c *caller) life(ctx context.Context) {
	spec := c.spec()
	spec.Labels = map[string]string{"caller": c.name}
	started, cancel := c.context(ctx)
	id, err := c.engine.Start(started, spec)
	cancel()
	c.expected(err)
	if err == nil {
		c.tally.started++
		for range c.random.IntN(6) {
			short, cancel := c.context(ctx)
			c.act(short, id)
			cancel()
		}
	}
	if ctx.Err() != nil {
		return
	}
	c.tally.released++
	if err == nil && c.random.IntN(20) > 0 {
		c.expected(c.engine.Release(context.Background(), id))
		return
	}
	// A Start that was cancelled may have started it all the same.
	_, err = c.engine.ReleaseAll(context.Background(), procession.Selector{Labels: spec.Labels})
	c.expected(err)
}

// context is one that is often cancelled too early.
func (c *caller) context(ctx context.Context) (context.Context, context.CancelFunc) {
	d := time.Duration(c.random.Int64N(int64(30 * time.Millisecond)))
	if c.random.IntN(10) == 0 {
		d = 0
	}
	return context.WithTimeout(ctx, d)
}

func (c *caller) act(ctx context.Context, id string) {
	var err error
	switch c.random.IntN(10) {
	case 0, 1:
		_, err = c.engine.Wait(ctx, id)
		c.tally.waited++
	case 2:
		_, err = c.engine.Kill(ctx, id)
		c.tally.killed++
	case 3:
		_, err = c.engine.Output(ctx, id)
		c.tally.read++
	case 4:
		for chunk, failed := range c.engine.Follow(ctx, id, procession.ReadOptions{MaxBytes: 10_000}) {
			if err = failed; err != nil || chunk.Next > 200_000 {
				break
			}
		}
		c.tally.read++
	case 5, 6:
		_, err = c.engine.Write(ctx, id, bytes.Repeat([]byte(oneLine), c.random.IntN(2000)))
		c.tally.written++
	case 7:
		err = c.engine.CloseStdin(ctx, id)
	case 8:
		err = c.engine.Signal(ctx, id, syscall.SIGINT)
	default:
		_, err = c.engine.List(ctx)
		c.tally.listed++
	}
	c.expected(err)
}

// expected reports whether err is nothing, or what a caller must reckon with.
func (c *caller) expected(err error) bool {
	for _, known := range []error{
		nil, procession.ErrNotFound, procession.ErrStdinClosed, procession.ErrExited,
	} {
		if errors.Is(err, known) {
			return true
		}
	}
	if errors.Is(err, context.DeadlineExceeded) || errors.Is(err, context.Canceled) {
		c.tally.cancelled++
		return true
	}
	if len(c.tally.unexpected) < 3 {
		c.tally.unexpected = append(c.tally.unexpected, err)
	}
	return false
}
