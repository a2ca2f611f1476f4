package mcpserver

import (
	"context"
	"errors"
	"strconv"
	"sync"

	"github.com/modelcontextprotocol/go-sdk/mcp"
)

// errUnanswered is the error of a call whose answer nobody waits for any more.
var errUnanswered = errors.New("the call was cancelled before its answer")

// arrivalHeader carries the number of an arrival through the SDK, which hands the header of a
// request to the tool. What a client says there does not count.
const arrivalHeader = "Procession-Arrival"

// arrival is a call of a tool on its way: from when its message was read until its answer
// was written, or cannot be. All its methods may be called of nil, which is a call that came
// by a transport of somebody else's.
type arrival struct {
	all     *arrivals
	number  string
	name    string          // its ID, among those of its client
	client  context.Context // ends when the client that waits for the answer has vanished
	place   *place
	session string

	mu       sync.Mutex
	state    arrivalState
	undo     func() // what takes back what it has begun, if it is cancelled before its answer
	held     int64  // bytes of the budget
	encoding bool   // its answer is a large one that is being made
	over     bool   // it holds nothing any more
}

type arrivalState uint8

const (
	underWay  arrivalState = iota
	returned               // what is written next is its answer
	answered               // its answer was written
	withdrawn              // before that
)

// arrivals are the calls that are under way.
type arrivals struct {
	budget budgets
	maker  maker
	queues queues

	mu       sync.Mutex
	last     uint64
	byNumber map[string]*arrival
	byName   map[string]*arrival
}

// asked is what a message asks for, as far as it matters before the SDK has read it.
type asked struct {
	id      string // idKey
	tool    string
	process string
}

// take notes that a call has come. client ends when nobody waits for the answer any more.
func (s *arrivals) take(client context.Context, session string, call asked) *arrival {
	a := &arrival{all: s, session: session, client: client}
	if call.process != "" {
		a.place = s.queues.join(session + "\x00" + call.process)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.last++
	a.number = strconv.FormatUint(s.last, 10)
	if s.byNumber == nil {
		s.byNumber, s.byName = map[string]*arrival{}, map[string]*arrival{}
	}
	s.byNumber[a.number] = a
	if a.name = session + "\x00" + call.id; call.id != "" {
		s.byName[a.name] = a
	}
	return a
}

// of returns the arrival of a call in the SDK's hands, nil if it came by another transport. It is
// an error if it is over already: the SDK calls the tool although nobody waits any more.
func (s *arrivals) of(req *mcp.CallToolRequest) (*arrival, error) {
	if req.Extra == nil || req.Extra.Header.Get(arrivalHeader) == "" {
		return nil, nil
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if a := s.byNumber[req.Extra.Header.Get(arrivalHeader)]; a != nil {
		return a, nil
	}
	return nil, errUnanswered
}

// named returns the call of a session with that ID, nil if there is none under way.
func (s *arrivals) named(session, id string) *arrival {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.byName[session+"\x00"+id]
}

// begin lets the next call about the same process begin.
func (a *arrival) begin() {
	if a != nil {
		a.place.begin()
	}
}

// patience returns the context of the client, that ends when it has vanished.
func (a *arrival) patience() context.Context {
	if a == nil {
		return context.Background()
	}
	return a.client
}

// turn waits until it is the call's turn. One that only looks lets the next one begin.
func (a *arrival) turn(ctx context.Context, looks bool) error {
	if a == nil {
		return nil
	}
	err := a.place.wait(ctx)
	if looks || err != nil {
		a.place.begin()
	}
	return err
}

// cancel notes that the client wants no answer. If it has one, that is too late.
func (a *arrival) cancel() {
	if a == nil {
		return
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.state == answered || a.state == withdrawn {
		return
	}
	a.state = withdrawn
	if a.undo != nil {
		go a.undo()
	}
}

// onCancel has undo called if the call is cancelled before its answer, which it may have
// been already.
func (a *arrival) onCancel(undo func()) {
	if a == nil {
		return
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.undo = undo; a.state == withdrawn {
		go undo()
	}
}

// done tells that the tool has returned: what is written next is the answer.
func (a *arrival) done() {
	if a == nil {
		return
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.state == underWay {
		a.state = returned
	}
}

// answer decides, right before its answer is written, whether it is answered or cancelled.
// An answer that tells of nothing that was taken back may be written all the same.
func (a *arrival) answer() error {
	if a == nil {
		return nil
	}
	a.made()
	a.mu.Lock()
	defer a.mu.Unlock()
	switch {
	case a.state != withdrawn:
		a.state = answered
	case a.undo != nil:
		return errUnanswered
	}
	return nil
}

// awaitsAnswer reports whether what is written next is the answer.
func (a *arrival) awaitsAnswer() bool {
	if a == nil {
		return false
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.state == returned || a.state == withdrawn
}

// hold reserves room for an answer of so many bytes of text, if the call has none yet. It
// is given back when the answer was written. A large answer is made from here until it is
// about to be written.
func (a *arrival) hold(ctx context.Context, text int) error {
	if a == nil || a.holds() {
		return nil
	}
	n := costOf(text)
	if err := a.all.budget.take(ctx, a.session, n); err != nil {
		return err
	}
	if n > smallCost {
		if err := a.all.maker.begin(ctx); err != nil {
			a.all.budget.give(a.session, n)
			return err
		}
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.over { // the client has vanished meanwhile
		if n > smallCost {
			a.all.maker.end(0)
		}
		a.all.budget.give(a.session, n)
		return errUnanswered
	}
	a.held, a.encoding = n, n > smallCost
	return nil
}

// made tells that the answer is made, and about to be written.
func (a *arrival) made() {
	a.mu.Lock()
	was, held := a.encoding, a.held
	a.encoding = false
	a.mu.Unlock()
	if was {
		a.all.maker.end(held)
	}
}

// shrink gives back what was reserved for the making of an answer that needs no more than so
// many bytes now.
func (a *arrival) shrink(bytes int) {
	if a == nil {
		return
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	a.held = a.all.budget.shrink(a.session, a.held, int64(bytes))
}

func (a *arrival) holds() bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.held > 0
}

// leave tells that the call is over: its answer was written, or never will be.
func (a *arrival) leave() {
	if a == nil {
		return
	}
	a.cancel()
	a.place.end()
	a.all.mu.Lock()
	delete(a.all.byNumber, a.number)
	if a.all.byName[a.name] == a {
		delete(a.all.byName, a.name)
	}
	a.all.mu.Unlock()
	a.made()
	a.mu.Lock()
	held := a.held
	a.held, a.over = 0, true
	a.mu.Unlock()
	a.all.budget.give(a.session, held)
}
