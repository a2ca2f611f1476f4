package mcpserver

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"github.com/google/uuid"
	"github.com/modelcontextprotocol/go-sdk/jsonrpc"
	"github.com/modelcontextprotocol/go-sdk/mcp"
)

// lineConn is a connection of one JSON-RPC message a line. The SDK's own ends
// with the first line that it does not understand or that is too long for it;
// this one answers that line with an error and reads on. When its input ends it
// gives the answers that are outstanding a moment, so that
//
//	printf '%s\n' "$requests" | procession mcp
//
// has them.
type lineConn struct {
	arrivals *arrivals
	name     string // among the clients of a server
	lines    chan line
	max      int

	closing sync.Once
	closed  chan struct{}
	in      io.Reader
	ended   chan struct{} // closed when the input has ended and all its lines are taken

	outstanding atomic.Int64  // calls and refused lines that have not been answered
	answered    chan struct{} // has an element if one has been since

	refusing sync.Mutex
	refusals [][]byte // to be written

	writing sync.Mutex // held as long as the client lets a write take
	out     io.Writer

	calling sync.Mutex
	calls   map[string]*arrival // that have not been answered, by idKey; nil is none of a tool
}

// line is a line that was read. Of one that is too long it has the ends only.
type line struct {
	text    []byte
	tooLong bool
}

func newLineConn(arrivals *arrivals, in io.Reader, out io.Writer, max int) *lineConn {
	c := &lineConn{
		arrivals: arrivals, name: "stdio " + uuid.NewString(), calls: map[string]*arrival{},
		lines: make(chan line), max: max, closed: make(chan struct{}),
		in: in, out: out, ended: make(chan struct{}), answered: make(chan struct{}, 1),
	}
	go c.scan()
	return c
}

// scan reads lines. Nothing can interrupt the reading of a file such as stdin,
// so it has a goroutine to itself.
func (c *lineConn) scan() {
	defer close(c.ended)
	defer close(c.lines)
	in := bufio.NewReaderSize(c.in, 64<<10)
	for {
		l, err := readLine(in, c.max)
		if len(bytes.TrimSpace(l.text)) > 0 {
			select {
			case c.lines <- l:
			case <-c.closed:
				return
			}
		}
		if err != nil {
			return
		}
	}
}

// endsKept is how much of each end of a line that is too long is kept.
const endsKept = 512

// readLine reads a line. One of more than max bytes is read to its end, and not
// held.
func readLine(in *bufio.Reader, max int) (line, error) {
	var l line
	for {
		piece, err := in.ReadSlice('\n')
		l.text = append(l.text, piece...)
		if len(bytes.TrimRight(l.text, "\r\n")) > max && !l.tooLong {
			l.tooLong = true
		}
		if l.tooLong && len(l.text) > 2*endsKept {
			l.text = append(l.text[:endsKept:endsKept], l.text[len(l.text)-endsKept:]...)
		}
		if !errors.Is(err, bufio.ErrBufferFull) {
			return l, err
		}
	}
}

// Read returns the next message, and has the lines before it answered that are
// none. It does not wait for that: a client that reads nothing would keep it from
// ever seeing the end of the input.
func (c *lineConn) Read(ctx context.Context) (jsonrpc.Message, error) {
	for {
		select {
		case l, ok := <-c.lines:
			if !ok {
				c.drain()
				return nil, io.EOF
			}
			message, refused := decode(l, c.max)
			switch {
			case refused != nil:
			case c.asked(message):
				return message, nil
			default:
				refused = refusal(nil, jsonrpc.CodeInvalidRequest, "a call with the same id is under way")
			}
			c.refuse(refused)
		case <-c.closed:
			return nil, io.EOF
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
}

// drain waits until all calls are answered, for a moment.
func (c *lineConn) drain() {
	patience := time.After(linger)
	for c.outstanding.Load() > 0 {
		select {
		case <-c.answered:
		case <-c.closed:
			return
		case <-patience:
			return
		}
	}
}

// asked notes what a message asks for. It reports whether the SDK is to have it.
func (c *lineConn) asked(message jsonrpc.Message) bool {
	request, ok := message.(*jsonrpc.Request)
	if !ok {
		return true
	}
	call := askedBy(request)
	switch {
	case request.Method == cancelledMethod:
		c.arrivals.named(c.name, call.id).cancel()
	case request.IsCall():
		return c.arrive(request, call)
	}
	return true
}

// arrive notes a call. Another one of its ID is refused: the SDK would drop it.
func (c *lineConn) arrive(request *jsonrpc.Request, call asked) (taken bool) {
	c.calling.Lock()
	defer c.calling.Unlock()
	if _, underWay := c.calls[call.id]; underWay {
		return false
	}
	c.outstanding.Add(1)
	c.calls[call.id] = nil
	if call.tool != "" {
		a := c.arrivals.take(context.Background(), c.name, call)
		c.calls[call.id] = a
		request.Extra = &mcp.RequestExtra{Header: http.Header{arrivalHeader: {a.number}}}
	}
	return true
}

// take returns the call that an answer belongs to, which is over then; nil if it is none of a
// tool.
func (c *lineConn) take(id jsonrpc.ID) *arrival {
	c.calling.Lock()
	defer c.calling.Unlock()
	key := idKey(id.Raw())
	a := c.calls[key]
	delete(c.calls, key)
	return a
}

// leave ends the calls that will not be answered any more.
func (c *lineConn) leave() {
	c.calling.Lock()
	defer c.calling.Unlock()
	for key, a := range c.calls {
		delete(c.calls, key)
		a.leave()
	}
}

func (c *lineConn) answer() {
	c.outstanding.Add(-1)
	select {
	case c.answered <- struct{}{}:
	default:
	}
}

// refuse has a refusal written, after those before it.
func (c *lineConn) refuse(text []byte) {
	c.outstanding.Add(1)
	c.refusing.Lock()
	defer c.refusing.Unlock()
	c.refusals = append(c.refusals, text)
	if len(c.refusals) == 1 {
		go c.writeRefusals()
	}
}

func (c *lineConn) writeRefusals() {
	c.refusing.Lock()
	defer c.refusing.Unlock()
	for len(c.refusals) > 0 {
		text := c.refusals[0]
		c.refusing.Unlock()
		err := c.write(text, []byte("\n"))
		c.answer()
		c.refusing.Lock()
		if c.refusals = c.refusals[1:]; err != nil {
			c.refusals = nil
			c.Close() // nobody reads any more
		}
	}
}

// Write writes a message.
func (c *lineConn) Write(ctx context.Context, message jsonrpc.Message) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	response, ok := message.(*jsonrpc.Response)
	if !ok {
		return c.encode(message)
	}
	defer c.answer()
	a := c.take(response.ID)
	defer a.leave()
	if err := a.answer(); err != nil {
		response = &jsonrpc.Response{ID: response.ID, Error: &jsonrpc.Error{Code: cancelledCode, Message: err.Error()}}
	}
	if response.Error != nil {
		return c.encode(&jsonrpc.Response{ID: response.ID, Error: coded(response.Error)})
	}
	id, err := json.Marshal(response.ID.Raw())
	if err != nil {
		return err
	}
	// The encoder would take several times the memory of a result, which is encoded already.
	return c.write([]byte(`{"jsonrpc":"2.0","id":`), id, []byte(`,"result":`), response.Result, []byte("}\n"))
}

func (c *lineConn) encode(message jsonrpc.Message) error {
	text, err := jsonrpc.EncodeMessage(message)
	if err != nil {
		return err
	}
	return c.write(text, []byte("\n"))
}

// write writes pieces of a line, small ones together.
func (c *lineConn) write(pieces ...[]byte) error {
	c.writing.Lock()
	defer c.writing.Unlock()
	out := bufio.NewWriter(c.out)
	for _, p := range pieces {
		if _, err := out.Write(p); err != nil {
			return err
		}
	}
	return out.Flush()
}

// Close ends the reading.
func (c *lineConn) Close() error {
	c.closing.Do(func() {
		close(c.closed)
		if in, ok := c.in.(io.Closer); ok {
			go in.Close() // which may wait for a read that nothing interrupts
		}
	})
	return nil
}

// SessionID is "": there is one session only.
func (c *lineConn) SessionID() string { return "" }
