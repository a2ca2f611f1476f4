//go:build linux

package procession_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/procession-go/procession"
	"github.com/procession-go/procession/internal/testkit"
	"github.com/procession-go/procession/internal/testkit/enginetest"
)

// bytesOf are all the bytes of some segments.
func bytesOf(segments []procession.Segment) []byte {
	var b []byte
	for _, s := range segments {
		b = append(b, s.Data...)
	}
	return b
}

// endsWith asserts how a text that may be long ends.
func endsWith(t testing.TB, text, end string, msgAndArgs ...any) bool {
	t.Helper()
	return assert.Equal(t, end, text[max(0, len(text)-len(end)):], msgAndArgs...)
}

// checkChunk checks what holds for every answer to a read at a cursor.
func checkChunk(t testing.TB, o procession.ReadOptions, c procession.Chunk) {
	t.Helper()
	at := o.Cursor + c.Dropped
	for _, s := range c.Segments {
		assert.Equal(t, at, s.Offset, "read at %d (%d dropped): where the next segment begins", o.Cursor, c.Dropped)
		assert.NotEmpty(t, s.Data, "read at %d (%d dropped): the segment at %d", o.Cursor, c.Dropped, s.Offset)
		at += int64(len(s.Data))
	}
	assert.Equal(t, at, c.Next, "read at %d: Next", o.Cursor)
	if o.MaxBytes > 0 {
		assert.LessOrEqual(t, len(bytesOf(c.Segments)), o.MaxBytes, "read at %d: bytes", o.Cursor)
	}
	if c.EOF {
		assert.NotNil(t, c.Exit, "EOF of a process that has not ended")
	}
}

// read reads, which must succeed.
func read(t testing.TB, e *procession.Engine, id string, o procession.ReadOptions) procession.Chunk {
	t.Helper()
	c, err := e.Read(testkit.Within(t), id, o)
	require.NoError(t, err)
	checkChunk(t, o, c)
	return c
}

func TestReadWhileItRuns(t *testing.T) {
	t.Parallel()
	e := enginetest.New(t)
	id := enginetest.Start(t, e, procession.Spec{Command: "cat", Stdin: true})
	c := read(t, e, id, procession.ReadOptions{})
	assert.Equal(t, procession.Chunk{}, c, "before there is anything")
	begin := time.Now()
	c = read(t, e, id, procession.ReadOptions{Wait: 50 * time.Millisecond})
	assert.GreaterOrEqual(t, time.Since(begin), 50*time.Millisecond)
	assert.Empty(t, c.Segments, "nothing in time")
	assert.False(t, c.EOF, "nothing in time")

	answer := make(chan procession.Chunk, 1)
	await := func(o procession.ReadOptions) {
		c, err := e.Read(testkit.Within(t), id, o)
		assert.NoError(t, err)
		checkChunk(t, o, c)
		answer <- c
	}
	go await(procession.ReadOptions{Wait: -1})
	write(t, e, id, "hello ")
	c = <-answer
	assert.Equal(t, "hello ", string(bytesOf(c.Segments)))
	assert.EqualValues(t, 6, c.Next)
	write(t, e, id, "world")
	c = read(t, e, id, procession.ReadOptions{Cursor: 6, Wait: testkit.Patience})
	assert.Equal(t, "world", string(bytesOf(c.Segments)))
	assert.EqualValues(t, 11, c.Next)
	c = read(t, e, id, procession.ReadOptions{Cursor: 3})
	assert.Equal(t, "lo world", string(bytesOf(c.Segments)), "from the middle")

	go await(procession.ReadOptions{Cursor: 11, Wait: -1})
	require.NoError(t, e.CloseStdin(testkit.Within(t), id))
	c = <-answer
	assert.Empty(t, c.Segments, "the end")
	assert.EqualValues(t, 11, c.Next, "the end")
	assert.True(t, c.EOF, "the end")
	require.NotNil(t, c.Exit, "the end")
	assert.True(t, c.Exit.Success(), c.Exit)
}

func TestReadOfAnEndedProcess(t *testing.T) {
	t.Parallel()
	e := enginetest.New(t)
	id := enginetest.Start(t, e, procession.Shell("printf héllo; exit 3"))
	enginetest.Wait(t, e, id)
	whole := read(t, e, id, procession.ReadOptions{Wait: -1})
	assert.Equal(t, "héllo", string(bytesOf(whole.Segments)))
	assert.True(t, whole.EOF)
	require.NotNil(t, whole.Exit)
	assert.Equal(t, 3, whole.Exit.Code)
	c := read(t, e, id, procession.ReadOptions{Cursor: 6, Wait: -1})
	assert.Empty(t, c.Segments, "at its end")
	assert.True(t, c.EOF, "at its end")
	assert.EqualValues(t, 6, c.Next, "at its end")
	// A character is split only if it alone is more than may be read.
	o, pieces := procession.ReadOptions{MaxBytes: 2}, []string{}
	for {
		c := read(t, e, id, o)
		pieces = append(pieces, string(bytesOf(c.Segments)))
		assert.NotNil(t, c.Exit)
		if o.Cursor = c.Next; c.EOF {
			break
		}
	}
	assert.Equal(t, []string{"h", "é", "ll", "o"}, pieces, "two bytes at a time")
	n := 0
	for o = (procession.ReadOptions{MaxBytes: 1}); ; n++ {
		require.LessOrEqual(t, n, 10, "one byte at a time makes no progress")
		c := read(t, e, id, o)
		if o.Cursor = c.Next; c.EOF {
			break
		}
	}
	assert.Equal(t, 5, n, "reads before the last, one byte at a time")
}

func TestReadRefusesBadOptions(t *testing.T) {
	t.Parallel()
	e := enginetest.New(t)
	id := enginetest.Start(t, e, procession.Shell("printf hello; sleep 1000"))
	enginetest.AwaitText(t, e, id, "hello")
	for _, o := range []procession.ReadOptions{{Cursor: -1}, {Cursor: 6}, {Cursor: 6, Wait: -1}, {Cursor: 1 << 62}, {MaxBytes: -1}} {
		_, err := e.Read(testkit.Within(t), id, o)
		assert.ErrorIs(t, err, procession.ErrInvalidRequest, "%+v", o)
		n := 0
		for _, err := range e.Follow(testkit.Within(t), id, o) {
			n++
			assert.ErrorIs(t, err, procession.ErrInvalidRequest, "Follow %+v", o)
		}
		assert.Equal(t, 1, n, "Follow %+v yields", o)
	}
}

func TestReadTellsWhatWasMissed(t *testing.T) {
	t.Parallel()
	e := enginetest.New(t)
	spec := helper("flood", "1000")
	spec.OutputLimit = 1600
	id := enginetest.Start(t, e, spec)
	enginetest.Wait(t, e, id)
	c := read(t, e, id, procession.ReadOptions{Cursor: 100})
	assert.EqualValues(t, 14300, c.Dropped)
	assert.Equal(t, 1600, len(bytesOf(c.Segments)))
	assert.EqualValues(t, 16000, c.Next)
	assert.True(t, c.EOF)
	first, _, _ := strings.Cut(string(bytesOf(c.Segments)), "\n")
	assert.Equal(t, "000000000000900", first, "the first line that is left")
	c = read(t, e, id, procession.ReadOptions{Cursor: 15000})
	assert.Zero(t, c.Dropped)
	assert.Equal(t, 1000, len(bytesOf(c.Segments)))
}

func TestFollowYieldsEveryByteOnce(t *testing.T) {
	t.Parallel()
	e := enginetest.New(t)
	const lines = 100_000
	spec := helper("flood", fmt.Sprint(lines))
	spec.OutputLimit = procession.Unlimited
	id := enginetest.Start(t, e, spec)
	want := sha256.New()
	for i := range lines {
		fmt.Fprintf(want, "%015d\n", i)
	}
	var readers sync.WaitGroup
	for _, most := range []int{0, 1 << 10, 100_000} {
		readers.Go(func() {
			got, cursor, eof := sha256.New(), int64(0), false
			for chunk, err := range e.Follow(testkit.Within(t), id, procession.ReadOptions{MaxBytes: most}) {
				if !assert.NoError(t, err) {
					return
				}
				assert.False(t, eof, "a chunk after EOF")
				checkChunk(t, procession.ReadOptions{Cursor: cursor, MaxBytes: most}, chunk)
				got.Write(bytesOf(chunk.Segments))
				cursor, eof = chunk.Next, chunk.EOF
			}
			assert.True(t, eof, "at most %d bytes at a time", most)
			assert.EqualValues(t, 16*lines, cursor, "at most %d bytes at a time", most)
			assert.Equal(t, want.Sum(nil), got.Sum(nil), "at most %d bytes at a time", most)
		})
	}
	readers.Wait()
}

func TestASlowFollowerIsToldAndHoldsUpNobody(t *testing.T) {
	t.Parallel()
	e := enginetest.New(t)
	spec := helper("flood", "500000") // 8 MB
	spec.OutputLimit = 64 << 10
	id := enginetest.Start(t, e, spec)
	var got, dropped int64
	for chunk, err := range e.Follow(testkit.Within(t), id, procession.ReadOptions{}) {
		require.NoError(t, err)
		if got == 0 {
			enginetest.Wait(t, e, id) // it ends although its follower does not read
		}
		got += int64(len(bytesOf(chunk.Segments)))
		dropped += chunk.Dropped
	}
	assert.EqualValues(t, 8_000_000, got+dropped, "%d bytes read and %d dropped", got, dropped)
	assert.NotZero(t, dropped)
}

func TestFollowCanBeLeft(t *testing.T) {
	t.Parallel()
	e := enginetest.New(t)
	id := enginetest.Start(t, e, procession.Shell("echo hello; sleep 1000"))
	for chunk, err := range e.Follow(testkit.Within(t), id, procession.ReadOptions{}) {
		assert.NoError(t, err)
		assert.Equal(t, "hello\n", string(bytesOf(chunk.Segments)))
		break
	}
	assert.True(t, testkit.Alive(enginetest.Info(t, e, id).PID), "the process has ended with its follower")
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	var errs []error
	for _, err := range e.Follow(ctx, id, procession.ReadOptions{}) {
		errs = append(errs, err)
		cancel()
	}
	require.Len(t, errs, 2, "cancelled after one chunk")
	assert.NoError(t, errs[0])
	assert.ErrorIs(t, errs[1], context.Canceled)
}

func TestFollowFromACursor(t *testing.T) {
	t.Parallel()
	e := enginetest.New(t)
	id := enginetest.Start(t, e, procession.Shell("printf 0123456789"))
	var got []byte
	for chunk, err := range e.Follow(testkit.Within(t), id, procession.ReadOptions{Cursor: 7}) {
		if err != nil {
			// The cursor may be beyond what has come so far.
			require.ErrorIs(t, err, procession.ErrInvalidRequest)
			enginetest.Wait(t, e, id)
			got = bytesOf(read(t, e, id, procession.ReadOptions{Cursor: 7}).Segments)
			break
		}
		got = append(got, bytesOf(chunk.Segments)...)
	}
	assert.Equal(t, "789", string(got))
}

// What was handed out stays as it is while the log goes on; the race detector
// looks on.
func TestWhatWasHandedOutNeverChanges(t *testing.T) {
	t.Parallel()
	e := enginetest.New(t)
	spec := helper("flood", "300000")
	spec.OutputLimit = 10_000
	id := enginetest.Start(t, e, spec)
	type snapshot struct {
		out  procession.Output
		then []byte
	}
	var snapshots []snapshot
	for len(snapshots) == 0 || snapshots[len(snapshots)-1].out.Exit == nil {
		out := enginetest.Output(t, e, id)
		then := bytesOf(out.Segments)
		require.LessOrEqual(t, len(then), 10_000, "bytes are retained")
		snapshots = append(snapshots, snapshot{out, then})
	}
	for _, s := range snapshots {
		require.True(t, bytes.Equal(bytesOf(s.out.Segments), s.then), "a snapshot has changed")
		text, longest := s.out.Stdout(), ""
		require.True(t, utf8.ValidString(text), "%q", text)
		for line := range strings.Lines(text) {
			if len(line) > len(longest) {
				longest = line
			}
		}
		require.LessOrEqual(t, len(longest), 16, "%q", longest)
	}
}
