package main

import (
	"bytes"
	"errors"
	"slices"
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
	var got bytes.Buffer
	b := newBacklog(func(bool) { t.Error("held for a few bytes") }, &lane{write: func(s procession.Segment) error { got.Write(s.Data); return nil }})
	first, second := chunkOf(0, 3), chunkOf(7, 5)
	copy(first.Segments[0].Data, "abc")
	copy(second.Segments[0].Data, "defgh")
	second.Dropped = 4
	b.fill(chunks(first, second))
	if err := b.deliver(); err != nil {
		t.Fatal(err)
	}
	if came, dropped, err := b.sums(); got.String() != "abcdefgh" || came != 12 || dropped != 4 || err != nil {
		t.Errorf("got %q; %d came, %d dropped, %v", &got, came, dropped, err)
	}
}

func TestBacklogHoldsAndLetsGoOn(t *testing.T) {
	var holds []bool
	b := newBacklog(func(hold bool) { holds = append(holds, hold) }, &lane{write: func(procession.Segment) error { return nil }})
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
	if err := b.deliver(); err != nil {
		t.Fatal(err)
	}
	if len(holds) != 3 || holds[2] {
		t.Fatalf("holds = %v, want it to go on", holds)
	}
}

func TestBacklogWaitsWhenFull(t *testing.T) {
	filled := make(chan struct{})
	var delivered int64
	b := newBacklog(func(bool) {}, &lane{write: func(s procession.Segment) error {
		if delivered == 0 {
			select {
			case <-filled:
				t.Error("it took more than is bearable")
			default:
			}
		}
		delivered += int64(len(s.Data))
		return nil
	}})
	go func() {
		b.fill(chunks(chunkOf(0, fullAt), chunkOf(fullAt, 1)))
		close(filled)
	}()
	err := b.deliver()
	<-filled
	if err != nil || delivered != fullAt+1 {
		t.Errorf("delivered %d, %v", delivered, err)
	}
}

func TestBacklogOfAReaderThatIsGone(t *testing.T) {
	held := false
	gone := errors.New("gone")
	b := newBacklog(func(hold bool) { held = hold }, &lane{write: func(procession.Segment) error { return gone }})
	b.put(chunkOf(0, holdAt), nil)
	if err := b.deliver(); !errors.Is(err, gone) {
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
	told := make(chan struct{})
	gone := errors.New("gone")
	b := newBacklog(func(bool) {}, lanesTo(func(s procession.Segment) error {
		if s.Stream == procession.Stderr {
			close(told)
			return nil
		}
		<-told // the reader of stdout waits for stderr
		return gone
	}, false)...)
	c := chunkOf(0, 2)
	c.Segments = append(c.Segments, procession.Segment{Stream: procession.Stderr, Offset: 2, Data: []byte("err")})
	b.fill(chunks(c))
	if err := b.deliver(); !errors.Is(err, gone) || b.size != 0 {
		t.Errorf("got %v, and %d bytes are left", err, b.size)
	}
}

// One lane has both streams in order, and everything, though the others wait.
func TestBacklogOfALaneThatNobodyHoldsUp(t *testing.T) {
	c := procession.Chunk{}
	var want []int64
	for i := range int64(100) {
		c.Segments = append(c.Segments, procession.Segment{Stream: procession.Stream(i % 2), Offset: i, Data: []byte{byte(i)}})
		c.Next = i + 1
		want = append(want, i)
	}
	complete := make(chan struct{})
	wait := func(procession.Segment) error { <-complete; return nil }
	var got []int64
	log := &lane{write: func(s procession.Segment) error {
		if got = append(got, s.Offset); s.Offset == c.Next-1 {
			close(complete)
		}
		return nil
	}}
	b := newBacklog(func(bool) {}, append(lanesTo(wait, false), log)...)
	b.fill(chunks(c))
	if err := b.deliver(); err != nil || !slices.Equal(got, want) || b.size != 0 {
		t.Errorf("%v; got %v, and %d bytes are left", err, got, b.size)
	}
}

// What cannot be held is lost to the lane that may miss it, and to no other.
func TestBacklogOfALaneThatMayMiss(t *testing.T) {
	var got, shown int64
	all := make(chan struct{})
	log := &lane{write: func(s procession.Segment) error { got += int64(len(s.Data)); return nil }}
	screen := &lane{mayMiss: true, write: func(s procession.Segment) error {
		<-all
		shown += int64(len(s.Data))
		return nil
	}}
	b := newBacklog(func(bool) {}, screen, log)
	go func() {
		b.fill(chunks(chunkOf(0, fullAt), chunkOf(fullAt, fullAt), chunkOf(2*fullAt, 1)))
		close(all)
	}()
	err := b.deliver()
	if _, dropped, _ := b.sums(); err != nil || got != 2*fullAt+1 || shown != fullAt || dropped != fullAt+1 {
		t.Errorf("%v; %d in the log, %d shown, %d dropped", err, got, shown, dropped)
	}
}
