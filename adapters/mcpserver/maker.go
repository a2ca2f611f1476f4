package mcpserver

import (
	"context"
	"runtime"
	"runtime/metrics"
	"sync"

	"golang.org/x/sync/semaphore"
)

// maker is the place where large answers are made, one at a time: from when their output is
// read until they are encoded. The JSON of 1 MiB of output, which is in an answer as a text and
// as structured content, leaves 70 MiB behind. The zero maker is free.
type maker struct {
	once  sync.Once
	place *semaphore.Weighted
	left  int64 // what was taken to be needed since the last collection
}

func (m *maker) begin(ctx context.Context) error {
	m.once.Do(func() { m.place = semaphore.NewWeighted(1) })
	return m.place.Acquire(ctx, 1)
}

// end lets the next one begin, after what so many bytes were reserved for has been collected:
// the collector's own pace depends on what the whole program has in memory.
func (m *maker) end(held int64) {
	if m.left += held; m.left >= budgetShare && heap() < largeHeap {
		runtime.GC()
		m.left = 0
	}
	m.place.Release(1)
}

// largeHeap is so many bytes that a collection is dear, and what answers leave behind does not
// matter: this server is a small part of the program then.
const largeHeap = 512 << 20

// heap is how many bytes there are on the heap.
func heap() uint64 {
	sample := []metrics.Sample{{Name: "/memory/classes/heap/objects:bytes"}}
	metrics.Read(sample)
	return sample[0].Value.Uint64()
}
