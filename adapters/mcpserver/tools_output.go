package mcpserver

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/procession-go/procession"
)

// query is what a call asks for of a process's output.
type query struct {
	cursor  int64 // where it begins
	forward bool  // the first that fits, not the last
	filter  filter
	limit   int  // bytes of each text
	plain   bool // all of the output is known to be plain; see mayBePlain
}

func (s *session) getProcessOutput(c call, in outputParams) (string, outputResult, error) {
	wait, err := seconds("wait_seconds", in.WaitSeconds)
	if err != nil {
		return "", outputResult{}, err
	}
	q := query{forward: in.Cursor != nil}
	if q.forward {
		q.cursor = *in.Cursor
	}
	if q.filter, err = filterOf(in.FilterLines, in.Context); err != nil {
		return "", outputResult{}, err
	}
	if q.limit, err = textLimit(in.MaxBytes, s.server.options); err != nil {
		return "", outputResult{}, err
	}
	if wait == 0 {
		text, result, _, err := s.read(c, in.ProcessID, q)
		return text, result, err
	}
	if _, err := s.info(c, in.ProcessID); err != nil {
		return "", outputResult{}, err
	}
	defer s.server.report(c, c.CallToolRequest, wait, func() string { return s.progress(c, in.ProcessID) })()
	w := newWaiter(s.server, in.ProcessID, q.cursor, q.filter.re, wait)
	for {
		if err := w.wait(c); err != nil {
			return "", outputResult{}, err
		}
		text, result, matched, err := s.read(c, in.ProcessID, q)
		if err != nil || w.over || matched {
			return text, result, err
		} // what had matched has been overwritten or evicted since
	}
}

// textLimit returns how many bytes of output a call gets that asks for so many, 0 for
// not having said.
func textLimit(asked int, o Options) (int, error) {
	switch {
	case asked < 0:
		return 0, fmt.Errorf("max_bytes is %d; it must be at least 1", asked)
	case asked == 0:
		return o.TextLimit, nil
	}
	return min(asked, o.mostText()), nil
}

func (s *session) waitForProcess(c call, in waitParams) (string, outputResult, error) {
	filter, err := filterOf(in.FilterLines, in.Context)
	if err != nil {
		return "", outputResult{}, err
	}
	if _, err := s.info(c, in.ProcessID); err != nil {
		return "", outputResult{}, err
	}
	ctx, total := context.Context(c), time.Duration(0)
	if in.TimeoutSeconds != nil {
		if total, err = seconds("timeout_seconds", *in.TimeoutSeconds); err != nil {
			return "", outputResult{}, err
		}
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(c, total)
		defer cancel()
	}
	stop := s.server.report(c, c.CallToolRequest, total, func() string { return s.progress(c, in.ProcessID) })
	_, err = s.server.engine.Wait(ctx, in.ProcessID)
	stop()
	if err != nil && !(errors.Is(err, context.DeadlineExceeded) && c.Err() == nil) {
		return "", outputResult{}, err
	}
	text, result, _, err := s.read(c, in.ProcessID, query{filter: filter, limit: s.server.options.TextLimit})
	return text, result, err
}

// read returns the result that both tools have. matched tells whether a line of it
// matches, or that there is no filter.
func (s *session) read(ctx call, id string, q query) (text string, _ outputResult, matched bool, _ error) {
	if err := ctx.arrival.hold(ctx, q.limit); err != nil { // before the output, of which those who wait hold nothing
		return "", outputResult{}, false, err
	}
	done, err := s.server.turn(ctx)
	if err != nil {
		return "", outputResult{}, false, err
	}
	defer done()
	info, err := s.info(ctx, id) // before the output, so that an end that it tells of is in that too
	if err != nil {
		return "", outputResult{}, false, err
	}
	chunk, err := s.server.engine.Read(ctx, id, procession.ReadOptions{Cursor: q.cursor})
	if err != nil {
		return "", outputResult{}, false, err
	}
	if chunk.Exit != nil {
		info.State, info.Exit = procession.Exited, chunk.Exit
	}
	q.filter.ended = info.Exit != nil
	q.plain = q.mayBePlain() && s.server.plains.all(id, chunk.Segments)
	v, next := q.view(chunk, s.server.options.mostText())
	result := outputResult{
		ProcessID: id, Output: v.output.text, Stdout: v.stdout.text, Stderr: v.stderr.text,
		Truncated: chunk.Dropped > 0 || v.cut(), Dropped: chunk.Dropped + int64(v.output.cut),
		OutputCut: outputCut(info.Exit), ExitCode: exitCode(info.Exit), Signal: exitSignal(info.Exit),
		State: info.State.String(), NextCursor: next.cursor, More: next.more,
	}
	return outputText(info, result, q), result, q.filter.re == nil || v.matched(), nil
}

// mayBePlain reports whether a query is one for which plain output makes a difference: for a
// small answer, from the end. Large ones that are rendered come one after the other slowly
// enough for the collector: without that, many of them take some 10 MiB more.
func (q query) mayBePlain() bool {
	return !q.forward && q.filter.re == nil && costOf(q.limit) <= smallCost
}

// following is where what follows a view begins, and whether some of it is there.
type following struct {
	cursor int64
	more   bool
}

// view returns what a query gets of a chunk.
func (q query) view(chunk procession.Chunk, most int) (view, following) {
	segments, torn := chunk.Segments, false
	if q.filter.re != nil {
		segments, torn = withoutFragments(chunk)
	}
	var v view
	next := chunk.Next
	switch {
	case q.plain: // nothing is incomplete at its end
		return plainViewOf(segments, q.limit), following{cursor: next}
	case q.forward:
		v, next = pageOf(segments, next, q.filter, q.limit, most)
	default:
		v = viewOf(segments, q.filter, q.limit)
	}
	switch {
	case next < chunk.Next:
		return v, following{next, true}
	case q.filter.ended:
		return v, following{cursor: next}
	case torn && !v.matched():
		return v, following{cursor: q.cursor + chunk.Dropped - 1} // of what was dropped, so that the fragment is known again
	}
	return v, following{cursor: resume(segments, next, q.filter, q.limit, v)}
}

// progress returns what a progress notification says.
func (s *session) progress(ctx context.Context, id string) string {
	info, err := s.info(ctx, id)
	if err != nil {
		return ""
	}
	return fmt.Sprintf("%s is %s, %d bytes of output", id, info.State, info.OutputBytes)
}

func outputCut(exit *procession.Exit) bool { return exit != nil && exit.OutputCut }

func exitCode(exit *procession.Exit) *int {
	if exit == nil || exit.Code < 0 {
		return nil
	}
	return &exit.Code
}

func exitSignal(exit *procession.Exit) *string {
	if exit == nil || exit.Signal == "" {
		return nil
	}
	return &exit.Signal
}
