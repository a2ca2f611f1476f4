package actors

import (
	"slices"

	"github.com/asynkron/protoactor-go/actor"
)

// waiting holds the askers that wait for something, in the order in which they asked, and
// what each of them asks for. If there are many, an asker that takes its request back is
// found by an index.
type waiting[T any] struct {
	all   []waiter[T]
	index *index // nil while they are few
}

// waiter is one of them. Its asker is nil if it has no address, and nobody if it no longer
// waits.
type waiter[T any] struct {
	asker *actor.PID
	what  T
}

var nobody = &actor.PID{}

// askers are askers that all wait for the same.
type askers = waiting[struct{}]

// index is where each of many is. They are numbered; the first in all has number first.
type index struct {
	numbers map[who][]int
	first   int
	gone    int // of those in all
}

// who is an asker's address.
type who struct{ address, id string }

func whoIs(pid *actor.PID) who { return who{pid.Address, pid.Id} }

// few is how many waiters are searched one by one.
const few = 32

func (w *waiting[T]) add(asker *actor.PID, what T) {
	w.all = append(w.all, waiter[T]{asker, what})
	switch {
	case w.index != nil:
		w.note(len(w.all) - 1)
	case len(w.all) > few:
		w.index = &index{numbers: map[who][]int{}}
		for i := range w.all {
			w.note(i)
		}
	}
}

func (w *waiting[T]) note(i int) {
	if asker := w.all[i].asker; asker != nil && asker != nobody {
		w.index.numbers[whoIs(asker)] = append(w.index.numbers[whoIs(asker)], w.index.first+i)
	}
}

func (w *waiting[T]) count() int {
	if w.index == nil {
		return len(w.all)
	}
	return len(w.all) - w.index.gone
}

// has reports whether an asker waits.
func (w *waiting[T]) has(asker *actor.PID) bool {
	if w.index != nil {
		return len(w.index.numbers[whoIs(asker)]) > 0
	}
	return slices.ContainsFunc(w.all, func(each waiter[T]) bool { return isThe(asker, each.asker) })
}

func isThe(asker, other *actor.PID) bool { return other != nil && asker.Equal(other) }

// remove removes an asker and returns what it waited for.
func (w *waiting[T]) remove(asker *actor.PID) (removed []T) {
	if w.index == nil {
		w.all = slices.DeleteFunc(w.all, func(each waiter[T]) bool {
			mine := isThe(asker, each.asker)
			if mine {
				removed = append(removed, each.what)
			}
			return mine
		})
		return removed
	}
	for _, number := range w.index.numbers[whoIs(asker)] {
		if i := number - w.index.first; i >= 0 {
			removed = append(removed, w.all[i].what)
			w.all[i] = waiter[T]{asker: nobody}
			w.index.gone++
		}
	}
	delete(w.index.numbers, whoIs(asker))
	if w.index.gone > len(w.all)/2 {
		w.keep(func(T) bool { return true })
	}
	return removed
}

// next removes and returns the waiter that has waited longest.
func (w *waiting[T]) next() (asker *actor.PID, what T, ok bool) {
	for len(w.all) > 0 && !ok {
		first := w.all[0]
		w.all[0] = waiter[T]{}
		w.all = w.all[1:]
		ok = first.asker != nobody
		asker, what = first.asker, first.what
		if w.index == nil {
			continue
		}
		w.index.first++
		if !ok {
			w.index.gone--
		} else if asker != nil {
			w.forgetFirst(asker)
		}
	}
	if len(w.all) == 0 {
		w.index = nil
	}
	return asker, what, ok
}

func (w *waiting[T]) forgetFirst(asker *actor.PID) {
	if rest := w.index.numbers[whoIs(asker)][1:]; len(rest) > 0 {
		w.index.numbers[whoIs(asker)] = rest
	} else {
		delete(w.index.numbers, whoIs(asker))
	}
}

// keep keeps those that are still to wait.
func (w *waiting[T]) keep(waits func(T) bool) {
	before := len(w.all)
	w.all = slices.DeleteFunc(w.all, func(each waiter[T]) bool { return each.asker == nobody || !waits(each.what) })
	if len(w.all) == before {
		return
	}
	w.index = nil
	if len(w.all) > few {
		w.index = &index{numbers: map[who][]int{}}
		for i := range w.all {
			w.note(i)
		}
	}
}

// take empties it, and answers who has waited.
func (w *waiting[T]) take() (all []waiter[T]) {
	all = w.all
	if w.index != nil && w.index.gone > 0 {
		all = slices.DeleteFunc(all, func(each waiter[T]) bool { return each.asker == nobody })
	}
	*w = waiting[T]{}
	return all
}
