package main

import (
	"fmt"
	"math"
	"slices"
	"sync"

	"github.com/procession-go/procession"
)

// track is the output of one process on its way to the screen, and what procession
// says about the process at its place in between.
type track struct {
	name      string
	stage     *stage
	out, errs *lineWriter
	begun     chan struct{} // closed when it has been said that the process was started

	printing sync.Mutex // holds out and errs

	mu      sync.Mutex
	written int64    // the offset after what has been written
	remarks []remark // for which it is too early, by offset
}

// remark is something to say when the output up to an offset has been written.
type remark struct {
	offset int64
	ends   bool // an incarnation: a line that it has begun ends there
	text   string
}

// say says something about the process after the output before offset.
func (t *track) say(offset int64, ends bool, text string) {
	m := remark{offset, ends, t.name + " " + text}
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.written >= offset {
		t.stage.later(func() { t.print(m) })
		return
	}
	after := slices.IndexFunc(t.remarks, func(other remark) bool { return other.offset > offset })
	if after < 0 {
		after = len(t.remarks)
	}
	t.remarks = slices.Insert(t.remarks, after, m)
}

func (t *track) print(m remark) {
	t.printing.Lock()
	defer t.printing.Unlock()
	if m.ends {
		t.check(t.out.Close())
		t.check(t.errs.Close())
	}
	t.stage.write(m.text)
}

// write writes output, and what is to be said in between. It never fails: if the
// screen does, the pool is stopped, and what is to be said is still in order.
func (t *track) write(s procession.Segment) error {
	t.stage.silence()
	t.reach(s.Offset)
	for len(s.Data) > 0 {
		n := t.next(s)
		t.pass(s.Stream, s.Data[:n])
		s.Offset, s.Data = s.Offset+int64(n), s.Data[n:]
		t.reach(s.Offset)
	}
	return nil
}

// next is how many bytes of a segment come before the next remark.
func (t *track) next(s procession.Segment) int {
	t.mu.Lock()
	defer t.mu.Unlock()
	if len(t.remarks) > 0 {
		return int(min(t.remarks[0].offset-s.Offset, int64(len(s.Data))))
	}
	return len(s.Data)
}

func (t *track) pass(stream procession.Stream, data []byte) {
	if t.stage.failed() {
		return
	}
	t.printing.Lock()
	defer t.printing.Unlock()
	w := t.out
	if stream == procession.Stderr {
		w = t.errs
	}
	_, err := w.Write(data)
	t.check(err)
}

// reach notes that everything before offset has been written, and says what is
// to be said there.
func (t *track) reach(offset int64) {
	for {
		t.mu.Lock()
		t.written = max(t.written, offset)
		if len(t.remarks) == 0 || t.remarks[0].offset > t.written {
			t.mu.Unlock()
			return
		}
		m := t.remarks[0]
		t.remarks = t.remarks[1:]
		t.mu.Unlock()
		t.print(m)
	}
}

// finish ends the track: no output comes any more.
func (t *track) finish() {
	t.stage.silence()
	t.reach(math.MaxInt64)
	t.stage.later(func() {
		t.printing.Lock()
		defer t.printing.Unlock()
		t.check(t.out.Close())
		t.check(t.errs.Close())
	})
}

// check notes an error of the screen.
func (t *track) check(err error) {
	if err != nil {
		t.stage.fail(fmt.Errorf("cannot write the output: %w", err))
	}
}
