package main

import (
	"bytes"
	"errors"
	"testing"

	"github.com/procession-go/procession"
)

// A chunk of n bytes that begins at the offset from.
func chunkOf(from, n int64) procession.Chunk {
	data := make([]byte, n)
	return procession.Chunk{Next: from + n, Segments: []procession.Segment{{Offset: from, Data: data}}}
}

func chunks(list ...procession.Chunk) func(func(procession.Chunk, error) bool) {
	return func(yield func(procession.Chunk, error) bool) {
		for _, c := range list {
			if !yield(c, nil) {
				return
			}
		}
	}
}

func TestBacklogDeliversInOrderAndCounts(t *testing.T) {
	b := newBacklog(false, func(bool) { t.Error("held for a few bytes") })
	first, second := chunkOf(0, 3), chunkOf(7, 5)
	copy(first.Segments[0].Data, "abc")
	copy(second.Segments[0].Data, "defgh")
	second.Dropped = 4
	b.fill(chunks(first, second))
	var got bytes.Buffer
	if err := b.deliver(func(s procession.Segment) error { got.Write(s.Data); return nil }); err != nil {
		t.Fatal(err)
	}
	if came, dropped, err := b.sums(); got.String() != "abcdefgh" || came != 12 || dropped != 4 || err != nil {
		t.Errorf("got %q; %d came, %d dropped, %v", &got, came, dropped, err)
	}
}

func TestBacklogHoldsAndLetsGoOn(t *testing.T) {
	var holds []bool
	b := newBacklog(false, func(hold bool) { holds = append(holds, hold) })
	b.put(chunkOf(0, holdAt-1), nil)
	if len(holds) != 0 {
		t.Fatal("held too early")
	}
	b.put(chunkOf(holdAt-1, 1), nil)
	b.put(chunkOf(holdAt, 1), nil)
	if len(holds) != 1 || !holds[0] {
		t.Fatalf("holds = %v, want one", holds)
	}
	b.put(chunkOf(holdAt+1, holdAt), nil)
	if len(holds) != 2 || !holds[1] {
		t.Fatalf("holds = %v; it was let go on by somebody, and is to be held again", holds)
	}
	b.fill(chunks())
	if err := b.deliver(func(procession.Segment) error { return nil }); err != nil {
		t.Fatal(err)
	}
	if len(holds) != 3 || holds[2] {
		t.Fatalf("holds = %v, want it to go on", holds)
	}
}

func TestBacklogWaitsWhenFull(t *testing.T) {
	b := newBacklog(false, func(bool) {})
	filled := make(chan struct{})
	go func() {
		b.fill(chunks(chunkOf(0, fullAt), chunkOf(fullAt, 1)))
		close(filled)
	}()
	var delivered int64
	err := b.deliver(func(s procession.Segment) error {
		if delivered == 0 {
			select {
			case <-filled:
				t.Error("it took more than is bearable")
			default:
			}
		}
		delivered += int64(len(s.Data))
		return nil
	})
	<-filled
	if err != nil || delivered != fullAt+1 {
		t.Errorf("delivered %d, %v", delivered, err)
	}
}

func TestBacklogOfAReaderThatIsGone(t *testing.T) {
	held := false
	b := newBacklog(false, func(hold bool) { held = hold })
	gone := errors.New("gone")
	b.put(chunkOf(0, holdAt), nil)
	if err := b.deliver(func(procession.Segment) error { return gone }); !errors.Is(err, gone) {
		t.Fatalf("got %v", err)
	}
	if held {
		t.Error("still held")
	}
	b.fill(chunks(chunkOf(holdAt, fullAt), chunkOf(holdAt+fullAt, fullAt))) // waits for nobody
	if came, _, _ := b.sums(); came != holdAt+2*fullAt {
		t.Errorf("%d came", came)
	}
}

func TestBacklogApart(t *testing.T) {
	b := newBacklog(true, func(bool) {})
	c := chunkOf(0, 2)
	c.Segments = append(c.Segments, procession.Segment{Stream: procession.Stderr, Offset: 2, Data: []byte("err")})
	b.fill(chunks(c))
	told := make(chan struct{})
	gone := errors.New("gone")
	err := b.deliver(func(s procession.Segment) error {
		if s.Stream == procession.Stderr {
			close(told)
			return nil
		}
		<-told // the reader of stdout waits for stderr
		return gone
	})
	if !errors.Is(err, gone) || b.size != 0 {
		t.Errorf("got %v, and %d bytes are left", err, b.size)
	}
}
