package output

import (
	"sync"
	"sync/atomic"
)

// A stream's first block has minBlock bytes; each that it fills is followed by
// one of twice the size, up to maxBlock. So ten thousand processes that each
// print one line cost little, and a flood needs few reads. Two of the largest, of
// which one is being filled and one being evicted, are less than slack; and they are
// of a size that Go's allocator has.
const (
	minBlock = 1 << 10
	maxBlock = 28 << 10
)

// block is a piece of memory that one stream's reader fills from front to back.
type block struct {
	data   []byte
	stream Stream

	// live counts what keeps the block from being used again: the bytes that were
	// handed over and are not evicted yet, and 1 while the reader is in the block. The
	// reader may bring it to 0 (if all was evicted before it moved on), or the
	// goroutine that holds the log's lock (the usual case).
	live atomic.Int32

	// shown means that a segment shows a part of the block, so that its memory must never
	// change again. Only the goroutine that holds the log's lock sets it, and only while the
	// block has live bytes; the count orders that before the reader's look.
	shown bool

	kept int    // how many bytes the log retains of it; only whoever holds the log's lock knows
	runs []byte // of a page, see newPage; nil otherwise
}

// slice is the bytes [from, to) of a block: the meaning of a Slice.
type slice struct {
	block    *block
	from, to int32
}

// Slice is a run of bytes that a reader has filled, on its way to the log. It is
// appended once, in the order in which its stream handed it over. After that it
// must not be read, because its bytes may be gone. The zero value is empty and may
// be appended anywhere.
type Slice struct{ slice }

// Len returns how many bytes the slice holds.
func (s Slice) Len() int { return s.len() }

// Stream returns the stream of the slice, which must not be the zero value.
func (s Slice) Stream() Stream { return s.block.stream }

// Bytes returns the bytes of the slice. They must not be modified, and not be read
// once the slice was appended.
func (s Slice) Bytes() []byte { return s.bytes() }

func (s *slice) len() int { return int(s.to - s.from) }

// bytes returns the memory of the slice, without what may be filled after it.
func (s *slice) bytes() []byte { return s.block.data[s.from:s.to:s.to] }

// extend takes next in if it follows in the same block, and so in the same
// stream. The live bytes of the block stay the same: they only change hands.
func (s *slice) extend(next slice) bool {
	if s.block != next.block || s.to != next.from {
		return false
	}
	s.to = next.to
	return true
}

// recycled holds blocks of maxBlock bytes that nothing refers to. Reading into
// memory that was used a moment ago is several times as fast as into fresh
// memory (page faults, cold cache, the collector). So are those of minBlock bytes,
// which a stream that turns out to have nothing to say gives back. Those between
// are not worth it: a stream has at most five of them in its life.
var recycled, recycledSmall sync.Pool

// pool returns where blocks of that size are recycled, nil if they are not.
func pool(size int) *sync.Pool {
	switch size {
	case maxBlock:
		return &recycled
	case minBlock:
		return &recycledSmall
	}
	return nil
}

// takeBlock returns a block for a reader, which is in it from now on.
func takeBlock(stream Stream, size int) *block {
	var b *block
	if p := pool(size); p != nil {
		b, _ = p.Get().(*block)
	}
	if b == nil {
		b = &block{data: make([]byte, size)}
	}
	b.stream = stream
	b.live.Store(1)
	return b
}

// next returns how long a block is that follows this one, in bytes.
func (b *block) next() int { return min(2*len(b.data), maxBlock) }

// retain notes that n bytes are handed over. The reader is in the block.
func (b *block) retain(n int) { b.live.Add(int32(n)) }

// release notes that n bytes are evicted or discarded.
func (b *block) release(n int) {
	if b.live.Add(-int32(n)) == 0 && !b.shown {
		if p := pool(len(b.data)); p != nil {
			p.Put(b)
		}
	}
}

// leave notes that the reader will not fill any more of the block.
func (b *block) leave() { b.release(1) }
