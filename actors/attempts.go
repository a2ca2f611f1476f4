package actors

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"sync/atomic"
	"time"

	"github.com/procession-go/procession/internal/ending"
	"github.com/procession-go/procession/internal/osproc"
	"github.com/procession-go/procession/internal/output"
	"github.com/procession-go/procession/messages"
)

// attempts tries the conditions of a probe that do not depend on output.
type attempts struct {
	spec    messages.Probe
	host    *osproc.Host
	command osproc.Command // of the process, for Exec
}

// condition is one that is tried until it holds.
type condition struct {
	name string
	try  func(context.Context) error
	most time.Duration // longest time of one attempt; 0: all the time that there is
}

// maxAnswer is how long an attempt over the network waits for its answer.
const maxAnswer = 5 * time.Second

// conditions returns those that are set.
func (a *attempts) conditions() (set []condition) {
	if a.spec.TCP != "" {
		set = append(set, condition{a.spec.TCP, a.tcp, maxAnswer})
	}
	if a.spec.HTTP != "" {
		set = append(set, condition{a.spec.HTTP, a.http, maxAnswer})
	}
	if len(a.spec.Exec) > 0 {
		set = append(set, condition{fmt.Sprintf("%q", a.spec.Exec), a.exec, 0})
	}
	return set
}

// run tries one condition after the other, each until it holds. It calls report
// with the condition that it tries and with the error of each failed attempt, and
// with "" once all conditions have held. It ends when ctx ends.
func (a *attempts) run(ctx context.Context, conditions []condition, report func(trying string, err error)) {
	ticker := time.NewTicker(a.spec.Interval)
	defer ticker.Stop()
	for _, c := range conditions {
		report(c.name, nil)
		for ctx.Err() == nil {
			err := c.attempt(ctx)
			if err == nil {
				break
			}
			if ctx.Err() != nil {
				return
			}
			report(c.name, err)
			select {
			case <-ticker.C:
			case <-ctx.Done():
				return
			}
		}
	}
	if ctx.Err() == nil {
		report("", nil)
	}
}

func (c *condition) attempt(ctx context.Context) error {
	if c.most > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, c.most)
		defer cancel()
	}
	return c.try(ctx)
}

func (a *attempts) tcp(ctx context.Context) error {
	conn, err := (&net.Dialer{}).DialContext(ctx, "tcp", a.spec.TCP)
	if err != nil {
		return err
	}
	return conn.Close()
}

// probeClient follows no redirect, because a 3xx status counts as an answer, and
// keeps no connection.
var probeClient = &http.Client{
	Transport:     &http.Transport{DisableKeepAlives: true},
	CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
}

func (a *attempts) http(ctx context.Context) error {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, a.spec.HTTP, nil)
	if err != nil {
		return err
	}
	response, err := probeClient.Do(request)
	if err != nil {
		return err
	}
	response.Body.Close()
	if response.StatusCode < 200 || response.StatusCode > 399 {
		return fmt.Errorf("GET %s: %s", a.spec.HTTP, response.Status)
	}
	return nil
}

// maxSaid is how many bytes an attempt of Exec may print. The engine reads and drops them,
// so that the attempt does not block.
const maxSaid = 1 << 20

// exec runs the command as a process of its own, in the environment of the probed
// process. The attempt is over when its whole tree has ended.
func (a *attempts) exec(ctx context.Context) error {
	command := a.command
	command.Path, command.Args, command.Stdin, command.Terminal, command.Log = a.spec.Exec[0], a.spec.Exec[1:], false, nil, nil
	command.Probe = true
	var said atomic.Int64
	flood := make(chan struct{}, 1)
	command.Tap = func(_ output.Stream, data []byte) (then func()) {
		if said.Add(int64(len(data))) > maxSaid {
			select {
			case flood <- struct{}{}:
			default: // it is being ended
			}
		}
		return nil
	}
	events := make(chan osproc.Event, 16) // as many as there can be before they are taken
	attempt := a.host.Start(command, func(e osproc.Event) { events <- e })
	var status osproc.Status
	cancelled := ctx.Done()
	for {
		select {
		case <-cancelled:
			cancelled = nil
			attempt.Stop(ending.Now)
		case <-flood:
			attempt.Stop(ending.Now)
		case event := <-events:
			switch e := event.(type) {
			case *osproc.StartFailed:
				return e.Err
			case *osproc.Started:
				attempt.Attach()
				if ctx.Err() != nil {
					attempt.Stop(ending.Now)
				}
			case *osproc.LeaderExited:
				status = e.Status
				if !attempt.EndTree(ending.Now) {
					continue
				}
				attempt.Reap()
				return a.verdict(ctx, status, said.Load())
			case *osproc.TreeGone:
				attempt.Reap()
				return a.verdict(ctx, status, said.Load())
			}
		}
	}
}

func (a *attempts) verdict(ctx context.Context, status osproc.Status, said int64) error {
	switch {
	case said > maxSaid:
		return fmt.Errorf("%q has printed more than %d bytes", a.spec.Exec, maxSaid)
	case ctx.Err() != nil:
		return fmt.Errorf("%q did not end", a.spec.Exec)
	case status.Signal != "":
		return fmt.Errorf("%q: signal: %s", a.spec.Exec, status.Signal)
	case status.Code != 0:
		return fmt.Errorf("%q: exit status %d", a.spec.Exec, status.Code)
	}
	return nil
}
