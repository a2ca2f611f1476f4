package output

import (
	"bytes"
	"fmt"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
)

// slices is each text as a slice of its own block.
func slices(texts ...string) []Slice {
	var all []Slice
	for _, text := range texts {
		newStream(Stdout).read([]byte(text), func(s Slice) { all = append(all, s) })
	}
	return all
}

func texts(slices []Slice) string {
	var all []string
	for _, s := range slices {
		all = append(all, string(s.bytes()))
	}
	return strings.Join(all, "|")
}

func TestQueueKeepsTheOrder(t *testing.T) {
	q := NewQueue(3)
	q.Eager(true)
	for i, s := range slices("a", "b", "c") {
		if wake := q.Push(s); wake != (i == 0 || i == 1) { // the first, and half full
			t.Errorf("push %d: wake is %v", i, wake)
		}
	}
	into := q.Take(nil)
	if got := texts(into); got != "a|b|c" {
		t.Errorf("took %s", got)
	}
	if !q.Push(slices("d")[0]) {
		t.Error("no wake after all was taken")
	}
	into = q.Take(into)
	if got := texts(into); got != "d" {
		t.Errorf("took %s", got)
	}
	for _, s := range into[1:cap(into)] {
		if s != (Slice{}) {
			t.Errorf("what was taken before is kept alive: %s", s.bytes())
		}
	}
	if into = q.Take(into); len(into) != 0 {
		t.Errorf("took %s from an empty queue", texts(into))
	}
	if q.Push(Slice{}) || len(q.Take(nil)) != 0 {
		t.Error("an empty slice was taken for something")
	}
}

func TestQueueWakesAnOwnerWhoIsNotEagerWhenItIsHalfFull(t *testing.T) {
	q := NewQueue(4)
	for i, s := range slices("a", "b", "c", "d") {
		if wake := q.Push(s); wake != (i == 1) {
			t.Errorf("push %d: wake is %v", i, wake)
		}
	}
	if got := texts(q.Take(nil)); got != "a|b|c|d" {
		t.Errorf("took %s", got)
	}
}

func TestQueueMergesWhatContinues(t *testing.T) {
	q, out, err := NewQueue(3), newStream(Stdout), newStream(Stderr)
	push := func(s Slice) { q.Push(s) }
	for range 100 {
		out.read([]byte("o"), push)
	}
	err.read([]byte("e"), push)
	out.read([]byte("p"), push)
	out.read([]byte("q"), push) // would block if it took a place
	if got, want := texts(q.Take(nil)), strings.Repeat("o", 100)+"|e|pq"; got != want {
		t.Errorf("took %s", got)
	}
	out.read([]byte("r"), push)
	if got := texts(q.Take(nil)); got != "r" {
		t.Errorf("took %s after the rest", got)
	}
}

func TestQueueHoldsReadersUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		q, all := NewQueue(2), slices("a", "b", "c", "d")
		pushed, woke := 0, 0
		go func() {
			for _, s := range all {
				if q.Push(s) {
					woke++
				}
				pushed++
			}
		}()
		synctest.Wait() // until it blocks
		if pushed != 2 {
			t.Fatalf("%d slices went into a queue of 2", pushed)
		}
		if got := texts(q.Take(nil)); got != "a|b" {
			t.Errorf("took %s", got)
		}
		synctest.Wait()
		if pushed != 4 || woke != 2 {
			t.Errorf("%d slices, %d wakes", pushed, woke)
		}
		if got := texts(q.Take(nil)); got != "c|d" {
			t.Errorf("took %s", got)
		}
	})
}

func TestQueueCloseUnblocks(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		q, all := NewQueue(1), slices("a", "b", "c", "d")
		q.Push(all[0])
		var readers sync.WaitGroup
		for _, s := range all[1:3] {
			readers.Go(func() {
				if q.Push(s) {
					t.Error("a push that was blocked wakes the owner")
				}
			})
		}
		synctest.Wait()
		q.Close()
		q.Close()
		readers.Wait()
		if q.Push(all[3]) || len(q.Take(nil)) != 0 {
			t.Error("a closed queue took something")
		}
		for i, s := range all {
			if n := s.block.live.Load(); n != 1 {
				t.Errorf("slice %d was not discarded: %d live", i, n)
			}
		}
	})
}

// Two readers flood one owner: nothing is lost, and each stream is in order.
func TestQueueUnderContention(t *testing.T) {
	q, l := NewQueue(4), NewLog(-1)
	wake := make(chan struct{}, 1)
	var want [2]bytes.Buffer
	var readers sync.WaitGroup
	for _, s := range []Stream{Stdout, Stderr} {
		readers.Go(func() {
			push := func(s Slice) {
				if q.Push(s) {
					wake <- struct{}{}
				}
			}
			r := newStream(s)
			for i := range 5000 {
				line := fmt.Appendf(nil, "%d: line %d ü\n", s, i)
				want[s].Write(line)
				r.read(line, push)
			}
			r.flush(push)
		})
	}
	go func() { readers.Wait(); close(wake) }()
	var into []Slice
	for open := true; open; {
		_, open = <-wake
		if into = q.Take(into); len(into) > 4 {
			t.Errorf("%d slices waited in a queue of 4", len(into))
		}
		for _, s := range into {
			l.Append(s)
		}
	}
	var got [2]bytes.Buffer
	for s := range l.Segments(0, 0) {
		got[s.Stream].Write(s.Data)
	}
	for s := range got {
		if !bytes.Equal(got[s].Bytes(), want[s].Bytes()) {
			t.Errorf("stream %d: %d bytes, want %d", s, got[s].Len(), want[s].Len())
		}
	}
}
