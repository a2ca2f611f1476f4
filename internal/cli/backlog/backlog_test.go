package backlog

import (
	"bytes"
	"errors"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

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
	b := New(&Sink{Write: func(s procession.Segment) error { got.Write(s.Data); return nil }})
	first, second := chunkOf(0, 3), chunkOf(3, 5)
	copy(first.Segments[0].Data, "abc")
	copy(second.Segments[0].Data, "defgh")
	b.Fill(chunks(first, second))
	require.NoError(t, b.Deliver())
	came, err := b.Sum()
	require.NoError(t, err)
	assert.EqualValues(t, 8, came)
	assert.Equal(t, "abcdefgh", got.String())
}

func TestBacklogWaitsWhenFull(t *testing.T) {
	filled := make(chan struct{})
	var delivered int64
	b := New(&Sink{Write: func(s procession.Segment) error {
		if delivered == 0 {
			select {
			case <-filled:
				assert.Fail(t, "it took more than is bearable")
			default:
			}
		}
		delivered += int64(len(s.Data))
		return nil
	}})
	go func() {
		b.Fill(chunks(chunkOf(0, Limit), chunkOf(Limit, 1)))
		close(filled)
	}()
	err := b.Deliver()
	<-filled
	require.NoError(t, err)
	assert.EqualValues(t, Limit+1, delivered)
}

func TestBacklogOfAReaderThatIsGone(t *testing.T) {
	gone := errors.New("gone")
	b := New(&Sink{Write: func(procession.Segment) error { return gone }})
	b.put(chunkOf(0, Limit-1), nil)
	require.ErrorIs(t, b.Deliver(), gone)
	b.Fill(chunks(chunkOf(Limit-1, Limit), chunkOf(2*Limit-1, Limit))) // waits for nobody
	came, _ := b.Sum()
	assert.EqualValues(t, 3*Limit-1, came)
}

func TestBacklogApart(t *testing.T) {
	told := make(chan struct{})
	gone := errors.New("gone")
	b := New(SinksTo(func(s procession.Segment) error {
		if s.Stream == procession.Stderr {
			close(told)
			return nil
		}
		<-told // the reader of stdout waits for stderr
		return gone
	}, false)...)
	c := chunkOf(0, 2)
	c.Segments = append(c.Segments, procession.Segment{Stream: procession.Stderr, Offset: 2, Data: []byte("err")})
	b.Fill(chunks(c))
	require.ErrorIs(t, b.Deliver(), gone)
	assert.Zero(t, b.size, "bytes that are left")
}

// One sink has both streams in order, and everything, though the others wait.
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
	log := &Sink{Write: func(s procession.Segment) error {
		if got = append(got, s.Offset); s.Offset == c.Next-1 {
			close(complete)
		}
		return nil
	}}
	b := New(append(SinksTo(wait, false), log)...)
	b.Fill(chunks(c))
	require.NoError(t, b.Deliver())
	assert.Equal(t, want, got)
	assert.Zero(t, b.size, "bytes that are left")
}
