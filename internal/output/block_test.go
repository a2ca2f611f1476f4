package output

import (
	"bytes"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// filled is a buffer whose block was filled and handed over, and the slice.
func filled(t *testing.T) (*Buffer, Slice) {
	t.Helper()
	b := NewBuffer(Stdout)
	b.size = maxBlock
	s, ok := b.Filled(len(b.Free()))
	require.True(t, ok)
	require.Equal(t, maxBlock, s.Len(), "bytes that were handed over")
	return b, s
}

// A block is free when its bytes are evicted and its reader has left it,
// whichever comes first.
func TestBlockIsFreeWhenLeftAndEvicted(t *testing.T) {
	one := func() Slice { b := NewBuffer(Stderr); b.Free()[0] = 'e'; s, _ := b.Filled(1); return s }
	t.Run("left first", func(t *testing.T) {
		b, s := filled(t)
		l := NewLog(1)
		l.Append(s)
		b.Free()
		assert.EqualValues(t, 1, s.block.live.Load(), "the byte that is retained")
		l.Append(one())
		assert.Zero(t, s.block.live.Load())
	})
	t.Run("evicted first", func(t *testing.T) {
		b, s := filled(t)
		l := NewLog(1)
		l.Append(s)
		l.Append(one())
		assert.EqualValues(t, 1, s.block.live.Load(), "the reader")
		b.Free()
		assert.Zero(t, s.block.live.Load())
	})
}

// What a segment shows stays, while the same reader goes on and on.
func TestShownBlockIsNeverUsedAgain(t *testing.T) {
	for _, when := range []string{"before the reader leaves", "after the reader left"} {
		t.Run(when, func(t *testing.T) {
			l, b := NewLog(3*maxBlock), NewBuffer(Stdout)
			b.size = maxBlock
			var s snapshot
			for i := range 100 {
				p := b.Free()
				copy(p, bytes.Repeat([]byte{byte(i)}, len(p)))
				slice, _ := b.Filled(len(p))
				l.Append(slice)
				if when == "after the reader left" {
					b.Free()
				}
				if i%7 == 0 {
					s.take(l, l.End()-int64(i), 100)
				}
				s.check(t)
			}
		})
	}
}

// The reader, the log's owner and those who look at segments are goroutines of
// their own. Under the race detector a block that is used again too early is
// a race; without it the bytes are wrong.
func TestRecyclingIsInvisible(t *testing.T) {
	const rounds = 300
	l := NewLog(5 * maxBlock)
	readers := new(sync.WaitGroup)
	for _, stream := range []Stream{Stdout, Stderr} {
		readers.Go(func() {
			b := NewBuffer(stream)
			push := func(s Slice, ok bool) {
				if ok {
					l.Append(s)
				}
			}
			for i := range rounds {
				p := b.Free()
				p = p[:max(1, len(p)>>(i%4))]
				copy(p, bytes.Repeat([]byte{byte(i) & 0x7f}, len(p)))
				push(b.Filled(len(p)))
				if i%5 == 0 {
					b.Idle()
				}
			}
			push(b.Flush())
		})
	}
	done := make(chan struct{})
	go func() { readers.Wait(); close(done) }()

	lookers := new(sync.WaitGroup)
	for i := 0; ; i++ {
		s := new(snapshot)
		s.take(l, l.First()+int64(i), 2*maxBlock)
		lookers.Go(func() {
			for range 3 {
				s.check(t)
			}
		})
		select {
		case <-done:
			lookers.Wait()
			return
		default:
		}
	}
}
