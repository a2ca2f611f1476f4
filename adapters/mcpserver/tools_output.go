package mcpserver

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"time"

	"github.com/procession-go/procession"
)

func (s *session) getProcessOutput(c call, in outputParams) (string, outputResult, error) {
	re, err := lineFilter(in.FilterLines)
	if err != nil {
		return "", outputResult{}, err
	}
	wait, err := seconds("wait_seconds", in.WaitSeconds)
	if err != nil {
		return "", outputResult{}, err
	}
	limit, err := textLimit(in.MaxBytes, s.server.options)
	if err != nil {
		return "", outputResult{}, err
	}
	if wait == 0 {
		text, result, _, err := s.read(c, in.ProcessID, in.Cursor, re, limit)
		return text, result, err
	}
	if _, err := s.info(c, in.ProcessID); err != nil {
		return "", outputResult{}, err
	}
	defer s.server.report(c, c.CallToolRequest, wait, func() string { return s.progress(c, in.ProcessID) })()
	w := newWaiter(s.server, in.ProcessID, in.Cursor, re, wait)
	for {
		if err := w.wait(c); err != nil {
			return "", outputResult{}, err
		}
		text, result, matched, err := s.read(c, in.ProcessID, in.Cursor, re, limit)
		if err != nil || w.over || matched {
			return text, result, err
		} // what had matched has been overwritten or evicted since
	}
}

// textLimit is how many bytes of output a call gets that asks for so many, 0 for
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
	re, err := lineFilter(in.FilterLines)
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
	text, result, _, err := s.read(c, in.ProcessID, 0, re, s.server.options.TextLimit)
	return text, result, err
}

// read is the result that both tools have. matched tells whether a line of it
// matches re, or that re is nil.
func (s *session) read(ctx call, id string, cursor int64, re *regexp.Regexp, limit int) (text string, _ outputResult, matched bool, _ error) {
	if err := ctx.arrival.hold(ctx, limit); err != nil { // before the output, of which those who wait hold nothing
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
	chunk, err := s.server.engine.Read(ctx, id, procession.ReadOptions{Cursor: cursor})
	if err != nil {
		return "", outputResult{}, false, err
	}
	if chunk.Exit != nil {
		info.State, info.Exit = procession.Exited, chunk.Exit
	}
	segments, torn := chunk.Segments, false
	if re != nil {
		segments, torn = withoutFragments(chunk)
	}
	v := viewOf(segments, re, limit)
	next := chunk.Next
	switch {
	case info.Exit != nil:
	case torn && !v.matched():
		next = cursor + chunk.Dropped - 1 // of what was dropped, so that the fragment is known again
	default:
		next = resume(segments, next, re != nil, v)
	}
	dropped := chunk.Dropped + int64(v.output.cut)
	result := outputResult{
		ProcessID: id, Output: v.output.text, Stdout: v.stdout.text, Stderr: v.stderr.text,
		Truncated: chunk.Dropped > 0 || v.cut(), Dropped: dropped,
		OutputCut: outputCut(info.Exit), ExitCode: exitCode(info.Exit), Signal: exitSignal(info.Exit),
		State: info.State.String(), NextCursor: next,
	}
	return outputText(info, result, re, cursor), result, re == nil || v.matched(), nil
}

// progress is what a progress notification says.
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
