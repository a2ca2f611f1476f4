package output

// Buffer is the reader's side of one stream: the memory that it reads into. It
// belongs to one goroutine. One cycle is
//
//	n, err := read(fd, b.Free())
//	if s, ok := b.Filled(n); ok {
//		log.Append(s)
//	}
//
// with Idle before waiting for something to read, and Flush when there will
// never be more.
type Buffer struct {
	stream Stream
	block  *block // nil if it has none
	size   int    // of the next block, in bytes
	done   int    // block.data[:done] was handed over
	end    int    // block.data[done:end] is held back: at most 3 bytes
}

// NewBuffer returns a buffer for a stream. It takes no block yet.
func NewBuffer(s Stream) *Buffer { return &Buffer{stream: s, size: minBlock} }

// Free returns the space to read into next, which is never empty. It takes a new
// block if the buffer has none or has filled it. Without a Filled in between, Free
// returns the same space again.
func (b *Buffer) Free() []byte {
	switch {
	case b.block == nil:
		b.block = takeBlock(b.stream, b.size)
	case b.end == len(b.block.data):
		b.moveOn()
	}
	return b.block.data[b.end:]
}

// moveOn leaves the block for the next, and takes along what is held back.
func (b *Buffer) moveOn() {
	b.size = b.block.next()
	next := takeBlock(b.stream, b.size)
	held := copy(next.data, b.block.data[b.done:b.end])
	b.block.leave()
	b.block, b.done, b.end = next, 0, held
}

// Filled says that the first n bytes of the space that Free returned were filled,
// and hands over what is complete. It hands over nothing (false) if n is 0, or if
// all bytes may be the beginning of a character.
func (b *Buffer) Filled(n int) (Slice, bool) {
	if n == 0 {
		return Slice{}, false
	}
	b.end += n
	return b.handOver(complete(b.block.data[b.done:b.end]))
}

// Idle says that there is nothing to read for now. An empty block is given back, so
// a silent stream has none.
func (b *Buffer) Idle() {
	if b.block != nil && b.end == 0 {
		b.leave()
	}
}

// Flush says that the stream has ended, and hands over the incomplete character
// at its end (at most 3 bytes), if there is one. The buffer has no block then.
func (b *Buffer) Flush() (Slice, bool) {
	if b.block == nil {
		return Slice{}, false
	}
	s, ok := b.handOver(b.end - b.done)
	b.leave()
	return s, ok
}

func (b *Buffer) handOver(n int) (Slice, bool) {
	if n == 0 {
		return Slice{}, false
	}
	s := Slice{slice{b.block, int32(b.done), int32(b.done + n)}}
	b.block.retain(n)
	b.done += n
	return s, true
}

func (b *Buffer) leave() {
	b.block.leave()
	b.block, b.done, b.end = nil, 0, 0
}
