package up

import (
	"fmt"
	"math"
	"slices"
	"sync"
	"time"

	"github.com/procession-go/procession"
	"github.com/procession-go/procession/internal/cli/backlog"
	"github.com/procession-go/procession/internal/cli/screen"
)

// transcript is the output of one process on its way to the screen, and what procession
// says about the process at its place in between.
type transcript struct {
	name      string
	display   *display
	id        string // once it has been said that the process was started
	begun     chan struct{}
	backlog   *backlog.Backlog
	out, errs *lines

	mu      sync.Mutex
	passed  int64    // the offset after the output that is in the queues of the display
	remarks []remark // for which it is too early, by offset
}

// lines is one of the two streams, as it is shown; for what the queue does alone.
type lines struct {
	queue *queue
	to    screen.LineMaker
	timed bool // the line that has begun will be shown without its end
}

// showAfter is how long the end of a line that is shown on a screen is waited for.
const showAfter = 700 * time.Millisecond

// remark is something to say when the output up to an offset has been passed.
type remark struct {
	offset int64
	ends   bool // an incarnation: a line that it has begun ends there
	text   string
}

// say says something about the process after the output before offset.
func (t *transcript) say(offset int64, ends bool, text string) {
	m := remark{offset, ends, t.name + " " + text}
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.passed >= offset {
		t.remark(m)
		return
	}
	after := slices.IndexFunc(t.remarks, func(other remark) bool { return other.offset > offset })
	if after < 0 {
		after = len(t.remarks)
	}
	t.remarks = slices.Insert(t.remarks, after, m)
}

func (t *transcript) remark(m remark) {
	if m.ends {
		t.end(t.out)
		t.end(t.errs)
	}
	t.display.say(m.text)
}

// await waits until the output before offset is on its way to the screen, or has
// to wait for room. What is said then, or done, comes after it.
func (t *transcript) await(offset int64) { t.backlog.Await(offset) }

// pass puts output in the queues of the display, and what is to be said in between.
// It never waits, and never fails: if the screen does, the pool is stopped, and
// what is to be said is still in order. It calls done when a piece has been written.
func (t *transcript) pass(s procession.Segment, done func(n int)) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.reach(s.Offset)
	l := t.out
	if s.Stream == procession.Stderr {
		l = t.errs
	}
	for len(s.Data) > 0 {
		n := len(s.Data)
		if len(t.remarks) > 0 {
			n = int(min(t.remarks[0].offset-s.Offset, int64(n)))
		}
		piece := s.Data[:n]
		l.queue.add(func() {
			t.print(l, piece)
			done(n)
		})
		s.Offset, s.Data = s.Offset+int64(n), s.Data[n:]
		t.reach(s.Offset)
	}
}

// reach notes that everything before offset has been passed, and says what is to be
// said there.
func (t *transcript) reach(offset int64) {
	t.passed = max(t.passed, offset)
	for len(t.remarks) > 0 && t.remarks[0].offset <= t.passed {
		t.remark(t.remarks[0])
		t.remarks = t.remarks[1:]
	}
}

// finish ends the transcript: no output comes any more.
func (t *transcript) finish() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.reach(math.MaxInt64)
	t.end(t.out)
	t.end(t.errs)
}

func (t *transcript) end(l *lines) { l.queue.add(func() { t.check(l.to.Close()) }) }

func (t *transcript) print(l *lines, data []byte) {
	if t.display.failed() {
		return
	}
	_, err := l.to.Write(data)
	t.check(err)
	if l.to.Unshown() && !l.timed {
		l.timed = true
		time.AfterFunc(showAfter, func() {
			l.queue.add(func() {
				l.timed = false
				t.check(l.to.Show())
			})
		})
	}
}

// check notes an error of the screen.
func (t *transcript) check(err error) {
	if err != nil {
		t.display.fail(fmt.Errorf("cannot write the output: %w", err))
	}
}
