//go:build linux

package procession_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"fmt"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/procession-go/procession"
	"github.com/procession-go/procession/internal/testkit"
	"github.com/procession-go/procession/internal/testkit/enginetest"
)

// blocking is a spec whose process waits for its reader.
func blocking(spec procession.Spec, limit int64) procession.Spec {
	spec.Overflow, spec.OutputLimit, spec.Grace = procession.Block, limit, time.Second
	return spec
}

// printed waits until a process has printed that many bytes, or more.
func printed(t *testing.T, e *procession.Engine, id string, bytes int64) {
	t.Helper()
	ctx := testkit.Within(t)
	testkit.Eventually(t, func(c *assert.CollectT) {
		info, err := e.Info(ctx, id)
		require.NoError(c, err)
		assert.GreaterOrEqual(c, info.OutputBytes, bytes)
	})
}

// isHeldUp waits until a process has printed what there is room for, and wants it to print
// no more: limit bytes, and what is in its two pipes.
func isHeldUp(t *testing.T, e *procession.Engine, id string, limit int64) {
	t.Helper()
	printed(t, e, id, limit)
	before := enginetest.Info(t, e, id)
	time.Sleep(50 * time.Millisecond) // nothing tells that nothing happens
	info := enginetest.Info(t, e, id)
	assert.Equal(t, before.OutputBytes, info.OutputBytes)
	assert.Equal(t, procession.Running, info.State)
	assert.LessOrEqual(t, info.Retained, limit+64<<10)
	assert.Zero(t, info.Dropped)
}

// followed is everything that Follow yields of standard output, and its sum.
func followed(t *testing.T, e *procession.Engine, id string, o procession.ReadOptions) (n int64, sum [32]byte) {
	t.Helper()
	h := sha256.New()
	for chunk, err := range e.Follow(testkit.Within(t), id, o) {
		require.NoError(t, err)
		require.Zero(t, chunk.Dropped)
		for _, s := range chunk.Segments {
			h.Write(s.Data)
			n += int64(len(s.Data))
		}
	}
	return n, [32]byte(h.Sum(nil))
}

// floodSum is what the helper "flood" prints.
func floodSum(lines int) (n int64, sum [32]byte) {
	var b bytes.Buffer
	for i := range lines {
		fmt.Fprintf(&b, "%015d\n", i)
	}
	return int64(b.Len()), sha256.Sum256(b.Bytes())
}

func TestBlockLosesNothing(t *testing.T) {
	t.Parallel()
	const lines = 100_000 // 1.6 MB
	wantN, wantSum := floodSum(lines)
	flood := helper("flood", strconv.Itoa(lines))
	for name, spec := range map[string]procession.Spec{
		"its leader":                   flood,
		"in a group of its own":        inShell(flood, `timeout 100 "$@"`),
		"in a session of its own":      inShell(flood, `setsid -w "$@"`),
		"a pipeline":                   inShell(flood, `"$@" | cat`),
		"on standard error":            inShell(flood, `"$@" >&2`),
		"written with a process group": inShell(flood, `{ set -m; } 2>/dev/null; "$@" & wait`),
	} {
		for _, limit := range []int64{1, 100, 4 << 10, 1 << 20} {
			if limit < 100 && name != "its leader" {
				continue
			}
			t.Run(fmt.Sprintf("%s, %d", name, limit), func(t *testing.T) {
				t.Parallel()
				spec := spec
				if limit == 1 { // a byte at a time
					spec = helper("flood", "50")
				}
				wantN, wantSum := wantN, wantSum
				if limit == 1 {
					wantN, wantSum = floodSum(50)
				}
				e := enginetest.New(t)
				spec = blocking(spec, limit)
				spec.Grace = testkit.Patience
				id := enginetest.Start(t, e, spec)
				if limit > 1 {
					printed(t, e, id, limit)
				}
				n, sum := followed(t, e, id, procession.ReadOptions{})
				assert.Equal(t, wantN, n)
				assert.Equal(t, wantSum, sum)
			})
		}
	}
}

func TestBlockHoldsUp(t *testing.T) {
	t.Parallel()
	e := enginetest.New(t)
	const limit = 64 << 10
	id := enginetest.Start(t, e, blocking(helper("flood", "1000000"), limit))
	isHeldUp(t, e, id, limit)

	// A read frees what lies before its cursor, and nothing else does.
	enginetest.Output(t, e, id)
	chunk := read(t, e, id, procession.ReadOptions{MaxBytes: 10 << 10})
	isHeldUp(t, e, id, limit)
	assert.Equal(t, "000000000000000\n", string(bytesOf(enginetest.Output(t, e, id).Segments)[:16]), "it was asked for, not from beyond it")
	read(t, e, id, procession.ReadOptions{Cursor: chunk.Next, MaxBytes: 1})
	printed(t, e, id, limit+10<<10)
	info := enginetest.Info(t, e, id)
	assert.Equal(t, int64(10<<10), info.Dropped)
	assert.LessOrEqual(t, info.Retained, int64(limit+64<<10))

	// Going back frees nothing, and what was dropped is told.
	back := read(t, e, id, procession.ReadOptions{MaxBytes: 1})
	assert.Equal(t, int64(10<<10), back.Dropped)
}

// What is held up ends like anything else, and what is in its pipes is not lost.
func TestBlockEnds(t *testing.T) {
	t.Parallel()
	const limit = 64 << 10
	ends := map[string]func(t *testing.T, e *procession.Engine, id string){
		"Kill": func(t *testing.T, e *procession.Engine, id string) { enginetest.Kill(t, e, id) },
		"KillAll": func(t *testing.T, e *procession.Engine, id string) {
			_, err := e.KillAll(testkit.Within(t), procession.Selector{})
			require.NoError(t, err)
		},
		"its time": func(t *testing.T, e *procession.Engine, id string) {},
		"a signal": func(t *testing.T, e *procession.Engine, id string) {
			require.NoError(t, e.Signal(testkit.Within(t), id, 9))
		},
	}
	for name, end := range ends {
		for what, spec := range map[string]procession.Spec{
			"it":               helper("flood", "1000000"),
			"a stubborn one":   inShell(helper("flood", "1000000"), `trap '' TERM; "$@"`),
			"one in a session": inShell(helper("flood", "1000000"), `setsid "$@" & wait`),
		} {
			t.Run(name+", "+what, func(t *testing.T) {
				t.Parallel()
				e := enginetest.New(t)
				spec := blocking(spec, limit)
				if name == "its time" {
					spec.Timeout = 500 * time.Millisecond
				}
				id := enginetest.Start(t, e, spec)
				printed(t, e, id, limit)
				end(t, e, id)
				exit := enginetest.Wait(t, e, id)
				assert.False(t, exit.Success(), exit)
				if name != "a signal" {
					assert.True(t, exit.OutputCut)
				}
				n, _ := followed(t, e, id, procession.ReadOptions{})
				assert.GreaterOrEqual(t, n, int64(limit))
			})
		}
	}
	for name, end := range map[string]func(t *testing.T, e *procession.Engine, id string){
		"Release": func(t *testing.T, e *procession.Engine, id string) {
			require.NoError(t, e.Release(testkit.Within(t), id))
		},
		"Shutdown": func(t *testing.T, e *procession.Engine, id string) {
			_, err := e.Shutdown(testkit.Within(t))
			require.NoError(t, err)
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			e := enginetest.New(t)
			id := enginetest.Start(t, e, blocking(helper("flood", "1000000"), limit))
			isHeldUp(t, e, id, limit)
			end(t, e, id)
		})
	}
}

// Who exits leaves what it has written, however much waits already; and who is started again
// and again does not make the log grow.
func TestBlockWithoutAReader(t *testing.T) {
	t.Parallel()
	e := enginetest.New(t)
	const limit = 1000
	id := enginetest.Start(t, e, blocking(helper("flood", "2000"), limit)) // 32 kB fit into the pipe
	exit := enginetest.Wait(t, e, id)
	assert.True(t, exit.Success(), exit)
	wantN, wantSum := floodSum(2000)
	n, sum := followed(t, e, id, procession.ReadOptions{})
	assert.Equal(t, wantN, n)
	assert.Equal(t, wantSum, sum)

	spec := blocking(helper("flood", "2000"), limit)
	spec.Grace = 10 * time.Millisecond
	spec.Restart = procession.Policy{When: procession.Always, MaxRestarts: 5, MinBackoff: time.Nanosecond, MaxBackoff: time.Nanosecond}
	id = enginetest.Start(t, e, spec)
	enginetest.Wait(t, e, id)
	info := enginetest.Info(t, e, id)
	assert.Zero(t, info.Dropped)
	assert.LessOrEqual(t, info.Retained, int64(limit+128<<10))
}

// A reader that waits for output is told of each byte.
func TestBlockReaderThatWaits(t *testing.T) {
	t.Parallel()
	e := enginetest.New(t)
	id := enginetest.Start(t, e, blocking(procession.Spec{Command: "cat", Stdin: true}, 4))
	cursor := int64(0)
	for i := range 50 {
		text := fmt.Sprintf("%05d|", i)
		write(t, e, id, text)
		for got := ""; got != text; {
			chunk := read(t, e, id, procession.ReadOptions{Cursor: cursor, Wait: -1})
			got += string(bytesOf(chunk.Segments))
			cursor = chunk.Next
			require.True(t, strings.HasPrefix(text, got), "%q of %q", got, text)
		}
	}
	ctx, cancel := context.WithCancel(testkit.Within(t))
	cancel()
	_, err := e.Read(ctx, id, procession.ReadOptions{Cursor: cursor, Wait: -1})
	assert.ErrorIs(t, err, context.Canceled)
}

func TestBlockOnATerminal(t *testing.T) {
	t.Parallel()
	e := enginetest.New(t)
	spec := blocking(procession.Shell("stty -onlcr; exec seq 20000"), 1000)
	spec.PTY = &procession.Size{Rows: 24, Cols: 80}
	id := enginetest.Start(t, e, spec)
	printed(t, e, id, 1000)
	var want bytes.Buffer
	for i := range 20000 {
		fmt.Fprintln(&want, i+1)
	}
	n, sum := followed(t, e, id, procession.ReadOptions{MaxBytes: 333})
	assert.Equal(t, int64(want.Len()), n)
	assert.Equal(t, sha256.Sum256(want.Bytes()), sum)
}

func TestOverflowIsText(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]procession.Overflow{"drop-oldest": procession.DropOldest, "block": procession.Block} {
		var got procession.Overflow
		require.NoError(t, got.UnmarshalText([]byte(text)))
		assert.Equal(t, want, got)
		assert.Equal(t, text, got.String())
	}
	assert.Error(t, new(procession.Overflow).UnmarshalText([]byte("spill")))
	e := enginetest.New(t)
	_, err := e.Start(testkit.Within(t), procession.Spec{Command: "true", Overflow: 2})
	assert.ErrorIs(t, err, procession.ErrInvalidSpec)
}

// inShell is a shell line whose arguments are a program.
func inShell(program procession.Spec, line string) procession.Spec {
	shell := procession.Shell(line)
	shell.Args = append(append(shell.Args, "sh", program.Command), program.Args...)
	shell.Env = program.Env
	return shell
}
