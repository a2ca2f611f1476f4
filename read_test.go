//go:build linux

package procession_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/procession-go/procession"
)

func bytesOf(segments []procession.Segment) []byte {
	var b []byte
	for _, s := range segments {
		b = append(b, s.Data...)
	}
	return b
}

// checkChunk checks what holds for every answer to a read at a cursor.
func checkChunk(t testing.TB, o procession.ReadOptions, c procession.Chunk) {
	t.Helper()
	at := o.Cursor + c.Dropped
	for _, s := range c.Segments {
		if s.Offset != at || len(s.Data) == 0 {
			t.Errorf("read at %d (%d dropped): a segment of %d bytes at %d, where %d comes next", o.Cursor, c.Dropped, len(s.Data), s.Offset, at)
		}
		at += int64(len(s.Data))
	}
	if c.Next != at {
		t.Errorf("read at %d: Next is %d, not %d", o.Cursor, c.Next, at)
	}
	if n := len(bytesOf(c.Segments)); o.MaxBytes > 0 && n > o.MaxBytes {
		t.Errorf("read of %d bytes at most: %d", o.MaxBytes, n)
	}
	if c.EOF && c.Exit == nil {
		t.Error("EOF of a process that has not ended")
	}
}

func read(t testing.TB, e *procession.Engine, id string, o procession.ReadOptions) procession.Chunk {
	t.Helper()
	c := must(e.Read(within(t), id, o))(t)
	checkChunk(t, o, c)
	return c
}

func TestReadWhileItRuns(t *testing.T) {
	t.Parallel()
	e := newEngine(t)
	spec := procession.Spec{Command: "cat", Stdin: true}
	id := start(t, e, spec)
	if c := read(t, e, id, procession.ReadOptions{}); len(c.Segments) != 0 || c.Next != 0 || c.EOF || c.Exit != nil {
		t.Errorf("before there is anything: %+v", c)
	}
	begin := time.Now()
	if c := read(t, e, id, procession.ReadOptions{Wait: 50 * time.Millisecond}); len(c.Segments) != 0 || c.EOF {
		t.Errorf("nothing in time: %+v", c)
	}
	if waited := time.Since(begin); waited < 50*time.Millisecond {
		t.Errorf("it has waited for %v only", waited)
	}

	answer := make(chan procession.Chunk, 1)
	go func() { answer <- read(t, e, id, procession.ReadOptions{Wait: -1}) }()
	must(e.Write(within(t), id, []byte("hello ")))(t)
	if c := <-answer; string(bytesOf(c.Segments)) != "hello " || c.Next != 6 {
		t.Errorf("%+v", c)
	}
	must(e.Write(within(t), id, []byte("world")))(t)
	if c := read(t, e, id, procession.ReadOptions{Cursor: 6, Wait: patience}); string(bytesOf(c.Segments)) != "world" || c.Next != 11 {
		t.Errorf("%+v", c)
	}
	if c := read(t, e, id, procession.ReadOptions{Cursor: 3}); string(bytesOf(c.Segments)) != "lo world" {
		t.Errorf("from the middle: %+v", c)
	}

	go func() { answer <- read(t, e, id, procession.ReadOptions{Cursor: 11, Wait: -1}) }()
	if err := e.CloseStdin(within(t), id); err != nil {
		t.Fatal(err)
	}
	if c := <-answer; len(c.Segments) != 0 || !c.EOF || c.Exit == nil || !c.Exit.Success() || c.Next != 11 {
		t.Errorf("the end: %+v", c)
	}
}

func TestReadOfAnEndedProcess(t *testing.T) {
	t.Parallel()
	e := newEngine(t)
	id := start(t, e, procession.Shell("printf héllo; exit 3"))
	must(e.Wait(within(t), id))(t)
	whole := read(t, e, id, procession.ReadOptions{Wait: -1})
	if string(bytesOf(whole.Segments)) != "héllo" || !whole.EOF || whole.Exit.Code != 3 {
		t.Errorf("%+v", whole)
	}
	if c := read(t, e, id, procession.ReadOptions{Cursor: 6, Wait: -1}); len(c.Segments) != 0 || !c.EOF || c.Next != 6 {
		t.Errorf("at its end: %+v", c)
	}
	// A character is split only if it alone is more than may be read.
	o, pieces := procession.ReadOptions{MaxBytes: 2}, []string{}
	for {
		c := read(t, e, id, o)
		pieces = append(pieces, string(bytesOf(c.Segments)))
		if c.Exit == nil {
			t.Error("Exit is missing")
		}
		if o.Cursor = c.Next; c.EOF {
			break
		}
	}
	if got := strings.Join(pieces, "|"); got != "h|é|ll|o" {
		t.Errorf("two bytes at a time: %q", got)
	}
	n := 0
	for o = (procession.ReadOptions{MaxBytes: 1}); ; n++ {
		c := read(t, e, id, o)
		if o.Cursor = c.Next; c.EOF {
			break
		}
		if n > 10 {
			t.Fatal("one byte at a time makes no progress")
		}
	}
	if n != 5 {
		t.Errorf("one byte at a time: %d reads before the last", n)
	}
}

func TestReadRefusesBadOptions(t *testing.T) {
	t.Parallel()
	e := newEngine(t)
	id := start(t, e, procession.Shell("printf hello; sleep 1000"))
	awaitText(t, e, id, "hello")
	for _, o := range []procession.ReadOptions{{Cursor: -1}, {Cursor: 6}, {Cursor: 6, Wait: -1}, {Cursor: 1 << 62}, {MaxBytes: -1}} {
		if c, err := e.Read(within(t), id, o); !errors.Is(err, procession.ErrInvalidRequest) {
			t.Errorf("%+v: %+v, %v", o, c, err)
		}
		n := 0
		for _, err := range e.Follow(within(t), id, o) {
			if n++; !errors.Is(err, procession.ErrInvalidRequest) {
				t.Errorf("Follow %+v: %v", o, err)
			}
		}
		if n != 1 {
			t.Errorf("Follow %+v yields %d times", o, n)
		}
	}
}

func TestReadTellsWhatWasMissed(t *testing.T) {
	t.Parallel()
	e := newEngine(t)
	spec := helper("flood", "1000")
	spec.OutputLimit = 1600
	id := start(t, e, spec)
	must(e.Wait(within(t), id))(t)
	c := read(t, e, id, procession.ReadOptions{Cursor: 100})
	if c.Dropped != 14300 || len(bytesOf(c.Segments)) != 1600 || c.Next != 16000 || !c.EOF {
		t.Errorf("dropped %d, next %d, EOF %v", c.Dropped, c.Next, c.EOF)
	}
	if first, _, _ := strings.Cut(string(bytesOf(c.Segments)), "\n"); first != "000000000000900" {
		t.Errorf("what is left begins with %q", first)
	}
	if c := read(t, e, id, procession.ReadOptions{Cursor: 15000}); c.Dropped != 0 || len(bytesOf(c.Segments)) != 1000 {
		t.Errorf("dropped %d, next %d", c.Dropped, c.Next)
	}
}

func TestFollowYieldsEveryByteOnce(t *testing.T) {
	t.Parallel()
	e := newEngine(t)
	const lines = 100_000
	spec := helper("flood", fmt.Sprint(lines))
	spec.OutputLimit = procession.Unlimited
	id := start(t, e, spec)
	want := sha256.New()
	for i := range lines {
		fmt.Fprintf(want, "%015d\n", i)
	}
	var readers sync.WaitGroup
	for _, most := range []int{0, 1 << 10, 100_000} {
		readers.Go(func() {
			got, cursor, eof := sha256.New(), int64(0), false
			for chunk, err := range e.Follow(within(t), id, procession.ReadOptions{MaxBytes: most}) {
				if err != nil {
					t.Error(err)
					return
				}
				if eof {
					t.Error("a chunk after EOF")
				}
				checkChunk(t, procession.ReadOptions{Cursor: cursor, MaxBytes: most}, chunk)
				got.Write(bytesOf(chunk.Segments))
				cursor, eof = chunk.Next, chunk.EOF
			}
			if !eof || cursor != 16*lines || !bytes.Equal(got.Sum(nil), want.Sum(nil)) {
				t.Errorf("at most %d bytes at a time: ended at %d, EOF %v, or with other bytes", most, cursor, eof)
			}
		})
	}
	readers.Wait()
}

func TestASlowFollowerIsToldAndHoldsUpNobody(t *testing.T) {
	t.Parallel()
	e := newEngine(t)
	spec := helper("flood", "500000") // 8 MB
	spec.OutputLimit = 64 << 10
	id := start(t, e, spec)
	var got, dropped int64
	for chunk, err := range e.Follow(within(t), id, procession.ReadOptions{}) {
		if err != nil {
			t.Fatal(err)
		}
		if got == 0 {
			must(e.Wait(within(t), id))(t) // it ends although its follower does not read
		}
		got += int64(len(bytesOf(chunk.Segments)))
		dropped += chunk.Dropped
	}
	if got+dropped != 8_000_000 || dropped == 0 {
		t.Errorf("%d bytes read and %d dropped of 8,000,000", got, dropped)
	}
}

func TestFollowCanBeLeft(t *testing.T) {
	t.Parallel()
	e := newEngine(t)
	id := start(t, e, procession.Shell("echo hello; sleep 1000"))
	for chunk, err := range e.Follow(within(t), id, procession.ReadOptions{}) {
		if err != nil || string(bytesOf(chunk.Segments)) != "hello\n" {
			t.Errorf("%+v, %v", chunk, err)
		}
		break
	}
	if i := info(t, e, id); !alive(i.PID) {
		t.Error("the process has ended with its follower")
	}
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	var errs []error
	for _, err := range e.Follow(ctx, id, procession.ReadOptions{}) {
		errs = append(errs, err)
		cancel()
	}
	if len(errs) != 2 || errs[0] != nil || !errors.Is(errs[1], context.Canceled) {
		t.Errorf("cancelled after one chunk, it yielded the errors %v", errs)
	}
}

func TestFollowFromACursor(t *testing.T) {
	t.Parallel()
	e := newEngine(t)
	id := start(t, e, procession.Shell("printf 0123456789"))
	var got []byte
	for chunk, err := range e.Follow(within(t), id, procession.ReadOptions{Cursor: 7}) {
		if err != nil {
			// The cursor may be beyond what has come so far.
			if !errors.Is(err, procession.ErrInvalidRequest) {
				t.Fatal(err)
			}
			must(e.Wait(within(t), id))(t)
			got = bytesOf(read(t, e, id, procession.ReadOptions{Cursor: 7}).Segments)
			break
		}
		got = append(got, bytesOf(chunk.Segments)...)
	}
	if string(got) != "789" {
		t.Errorf("%q", got)
	}
}

// What was handed out stays as it is while the log goes on; the race detector
// looks on.
func TestWhatWasHandedOutNeverChanges(t *testing.T) {
	t.Parallel()
	e := newEngine(t)
	spec := helper("flood", "300000")
	spec.OutputLimit = 10_000
	id := start(t, e, spec)
	type snapshot struct {
		out  procession.Output
		then []byte
	}
	var snapshots []snapshot
	for len(snapshots) == 0 || snapshots[len(snapshots)-1].out.Exit == nil {
		out := must(e.Output(within(t), id))(t)
		snapshots = append(snapshots, snapshot{out, bytesOf(out.Segments)})
		if n := len(snapshots[len(snapshots)-1].then); n > 10_000 {
			t.Fatalf("%d bytes are retained", n)
		}
	}
	for _, s := range snapshots {
		if !bytes.Equal(bytesOf(s.out.Segments), s.then) {
			t.Fatal("a snapshot has changed")
		}
		for line := range strings.Lines(s.out.Stdout()) {
			if !utf8.ValidString(line) || len(line) > 16 {
				t.Fatalf("%q", line)
			}
		}
	}
}
