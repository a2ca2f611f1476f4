//go:build linux

package soak

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"strconv"
	"time"

	"github.com/procession-go/procession/internal/testkit"
)

const protocol = "2025-11-25"

// deeds are what clients have done, and what happened to them that must not.
type deeds struct {
	counts     map[string]int
	unexpected []error
}

func (d *deeds) add(o deeds) {
	for what, n := range o.counts {
		d.counts[what] += n
	}
	d.unexpected = append(d.unexpected, o.unexpected...)
}

// client is one of those who come to a server, and come back.
type client struct {
	url    string // of the server over HTTP, "" for a server of its own
	engine string // what engines are called that its visits are to, or how their names begin
	random *rand.Rand
	deeds

	visits, requests int
	wire             wire
	pids             []string // of what it has started in this visit
}

type arguments = map[string]any

func newClient(url, engine string, seed int) *client {
	return &client{url: url, engine: engine, random: rand.New(rand.NewPCG(uint64(seed), 7)), deeds: deeds{counts: map[string]int{}}}
}

// visit is a client's session, from its first word to an end of one kind or another.
func (c *client) visit(ctx context.Context) {
	c.visits++
	c.pids = nil
	if c.url == "" && c.random.IntN(10) == 0 {
		c.try("died", c.die)
		return
	}
	if err := c.arrive(); err != nil {
		c.try("arrived", func() error { return err })
		return
	}
	c.try("worked", c.work)
	type leaving struct {
		how string
		do  func() error
	}
	ways := []leaving{
		{"ended", c.end},
		{"vanished in a call", c.hang},
		{"stalled", func() error { return c.stall(ctx) }},
		{"ended without reading", c.endUnread},
	}
	if w, ok := c.wire.(*stdioWire); ok {
		ways = append(ways, leaving{"lost its server", func() error { w.kill(); return nil }})
	} else {
		ways = append(ways, leaving{"was idle", func() error { return c.rest(ctx) }})
	}
	way := ways[c.random.IntN(len(ways))]
	c.try(way.how, way.do)
	c.try("left", c.wire.cut)
}

// try counts what was done, or notes why not.
func (c *client) try(what string, do func() error) {
	err := do()
	switch {
	case err == nil:
		c.counts[what]++
	case errors.Is(err, errExpired):
		c.counts["expired"]++
	case len(c.unexpected) < 3:
		c.unexpected = append(c.unexpected, fmt.Errorf("not %s (HTTP: %v): %w", what, c.url != "", err))
	}
}

// arrive begins a session.
func (c *client) arrive() (err error) {
	if c.url != "" {
		c.wire = openHTTP(c.url)
	} else if c.wire, err = openStdio(fmt.Sprintf("%s-%d", c.engine, c.visits)); err != nil {
		return err
	}
	if _, err := c.request("initialize", arguments{"protocolVersion": protocol, "capabilities": arguments{},
		"clientInfo": arguments{"name": "soak", "version": "1"}}); err != nil {
		return errors.Join(err, c.wire.cut())
	}
	_, done, err := c.wire.send([]byte(`{"jsonrpc":"2.0","method":"notifications/initialized"}`))
	if err != nil {
		return errors.Join(err, c.wire.cut())
	}
	done()
	return nil
}

// send sends a request, whose answer is still to be read.
func (c *client) send(method string, params arguments) (*bufio.Reader, func(), error) {
	c.requests++
	text, err := json.Marshal(arguments{"jsonrpc": "2.0", "id": c.requests, "method": method, "params": params})
	if err != nil {
		return nil, nil, err
	}
	return c.wire.send(text)
}

// request sends a request, and reads its answer.
func (c *client) request(method string, params arguments) (message, error) {
	messages, done, err := c.send(method, params)
	if err != nil {
		return message{}, err
	}
	defer done()
	for {
		m, err := next(messages)
		switch {
		case err != nil:
			return m, err
		case m.ID == nil: // no answer
		case m.Error != nil:
			return m, errors.New(m.Error.Message)
		case m.Result.IsError:
			return m, errors.New(m.Result.Content[0].Text)
		default:
			return m, nil
		}
	}
}

func (c *client) call(tool string, in arguments) (message, error) {
	m, err := c.request("tools/call", arguments{"name": tool, "arguments": in})
	if err != nil && !errors.Is(err, errExpired) {
		err = fmt.Errorf("%s: %w", tool, err)
	}
	return m, err
}

// start starts a shell line.
func (c *client) start(line string, more arguments) (id string, err error) {
	in := arguments{"command": line}
	maps.Copy(in, more)
	m, err := c.call("start_process", in)
	if err == nil {
		c.counts["started"]++
		c.pids = append(c.pids, strconv.Itoa(m.Result.StructuredContent.PID))
	}
	return m.Result.StructuredContent.ProcessID, err
}

// work starts some processes and does what clients do with them. Most are left as
// they are.
func (c *client) work() error {
	for range 1 + c.random.IntN(3) {
		id, err := c.start([]string{
			"echo here; exec cat",
			"sleep 60 & sleep 60 & echo two; wait",
			"setsid sleep 60 & echo left; exit 3",
			"trap '' TERM; echo deaf; while :; do sleep 0.1; done",
			"head -c 100000 /dev/zero | tr '\\0' x; exec cat",
		}[c.random.IntN(5)], arguments{"stdin": true})
		if err != nil {
			return err
		}
		if _, err := c.call("get_process_output", arguments{"process_id": id, "wait_seconds": testkit.Patience.Seconds()}); err != nil {
			return err
		}
		switch in := (arguments{"process_id": id}); c.random.IntN(5) {
		case 0:
			_, err = c.call("kill_process", in)
		case 1:
			_, err = c.call("release_process", in)
		case 2:
			in["timeout_seconds"] = 0.01
			_, err = c.call("wait_for_process", in)
		default:
			err = c.talk()
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// talk starts one that echoes, and talks with it.
func (c *client) talk() error {
	id, err := c.start("exec cat", arguments{"stdin": true})
	if err != nil {
		return err
	}
	if _, err := c.call("send_input", arguments{"process_id": id, "data": "hello\n"}); err != nil {
		return err
	}
	m, err := c.call("get_process_output", arguments{"process_id": id, "wait_seconds": testkit.Patience.Seconds()})
	if err != nil {
		return err
	}
	cursor := m.Result.StructuredContent.NextCursor
	if _, err := c.call("send_input", arguments{"process_id": id, "data": "bye\n", "close": true}); err != nil {
		return err
	}
	_, err = c.call("get_process_output", arguments{"process_id": id, "cursor": cursor, "wait_seconds": testkit.Patience.Seconds()})
	return err
}

// end ends the session. Nothing that it has started may be left then.
func (c *client) end() error {
	if err := c.wire.end(); err != nil {
		return err
	}
	for _, pid := range c.pids {
		if carries(pid, c.engine) {
			return fmt.Errorf("the session has ended, and its process %s is there", pid)
		}
	}
	return nil
}

// hang makes a call that waits, and returns when it does.
func (c *client) hang() error {
	id, err := c.start("exec sleep 60", nil)
	if err != nil {
		return err
	}
	return c.waitFor(id)
}

// waitFor asks for the end of a process, and returns when the server waits for that.
func (c *client) waitFor(id string) error {
	messages, _, err := c.send("tools/call", arguments{"name": "wait_for_process",
		"arguments": arguments{"process_id": id}, "_meta": arguments{"progressToken": 1}})
	if err == nil {
		_, err = next(messages) // progress
	}
	return err
}

// ask asks for a megabyte, which it does not read.
func (c *client) ask() error {
	id, err := c.start(`yes '""""""""' | head -c 1048576`, nil)
	if err != nil {
		return err
	}
	if _, err = c.call("wait_for_process", arguments{"process_id": id}); err != nil {
		return err
	}
	_, _, err = c.send("tools/call", arguments{"name": "get_process_output",
		"arguments": arguments{"process_id": id, "max_bytes": 1 << 20}})
	return err
}

// stall asks, and is there for a while.
func (c *client) stall(ctx context.Context) error {
	if err := c.ask(); err != nil {
		return err
	}
	c.pause(ctx, time.Duration(c.random.Int64N(int64(2*time.Second))))
	return nil
}

// endUnread asks, and ends the session.
func (c *client) endUnread() error {
	if err := c.ask(); err != nil {
		return err
	}
	return c.end()
}

// rest makes no request for about as long as a session may be idle. The next one is
// answered, or told that the session has expired.
func (c *client) rest(ctx context.Context) error {
	c.pause(ctx, idle+time.Duration(c.random.Int64N(int64(20*time.Millisecond)))-10*time.Millisecond)
	_, err := c.call("list_processes", arguments{})
	return err
}

func (c *client) pause(ctx context.Context, d time.Duration) {
	select {
	case <-time.After(d):
	case <-ctx.Done():
	}
}

// die has a client killed that is a program of its own, while it waits for an answer.
// Its server is nobody's then.
func (c *client) die() error {
	cmd := play("client", fmt.Sprintf("%s-%d", c.engine, c.visits))
	out, in, err := os.Pipe()
	if err != nil {
		return err
	}
	defer out.Close()
	cmd.Stdout = in
	err = cmd.Start()
	in.Close()
	if err != nil {
		return err
	}
	out.SetReadDeadline(time.Now().Add(testkit.Patience))
	_, err = out.Read(make([]byte, 1))
	cmd.Process.Kill()
	cmd.Wait()
	return err
}

// waitForever is the client that is killed. It prints something when it waits.
func waitForever(engine string) error {
	c := newClient("", engine, os.Getpid())
	if err := errors.Join(c.arrive(), c.work(), c.hang()); err != nil {
		return err
	}
	fmt.Println("waiting")
	for {
		if _, err := c.wire.(*stdioWire).messages.ReadByte(); err != nil {
			return err
		}
	}
}
