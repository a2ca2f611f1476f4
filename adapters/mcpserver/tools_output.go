package mcpserver

import (
	"cmp"
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
	if in.MaxBytes < 0 {
		return "", outputResult{}, fmt.Errorf("max_bytes is %d; it must be at least 1", in.MaxBytes)
	}
	if wait > 0 {
		if _, err := s.info(c, in.ProcessID); err != nil {
			return "", outputResult{}, err
		}
		stop := s.server.report(c, c.CallToolRequest, wait, func() string { return s.progress(c, in.ProcessID) })
		err := await(c, s.server.engine, in.ProcessID, in.Cursor, re, wait)
		stop()
		if err != nil {
			return "", outputResult{}, err
		}
	}
	return s.read(c, in.ProcessID, in.Cursor, re, cmp.Or(in.MaxBytes, s.server.options.TextLimit))
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
	return s.read(c, in.ProcessID, 0, re, s.server.options.TextLimit)
}

// read is the result that both tools have.
func (s *session) read(ctx context.Context, id string, cursor int64, re *regexp.Regexp, limit int) (string, outputResult, error) {
	info, err := s.info(ctx, id) // before the output, so that an end that it tells of is in that too
	if err != nil {
		return "", outputResult{}, err
	}
	chunk, err := s.server.engine.Read(ctx, id, procession.ReadOptions{Cursor: cursor})
	if err != nil {
		return "", outputResult{}, err
	}
	if chunk.Exit != nil {
		info.State, info.Exit = procession.Exited, chunk.Exit
	}
	v := viewOf(chunk.Segments, re, limit)
	dropped := chunk.Dropped + int64(v.cut)
	result := outputResult{
		ProcessID: id, Output: v.output, Stdout: v.stdout, Stderr: v.stderr,
		Truncated: dropped > 0, Dropped: dropped,
		ExitCode: exitCode(info.Exit), Signal: exitSignal(info.Exit),
		State: info.State.String(), NextCursor: chunk.Next,
	}
	return outputText(info, result, re, cursor), result, nil
}

// settle is how long nothing more must come before output is taken as it is.
const settle = 20 * time.Millisecond

// await returns when there is output from cursor on (if re is not nil: a line in
// it that matches), when the process has ended, or when the time is over.
func await(ctx context.Context, eng *procession.Engine, id string, cursor int64, re *regexp.Regexp, wait time.Duration) error {
	deadline := time.Now().Add(wait)
	search := lineSearch{re: re}
	for o := (procession.ReadOptions{Cursor: cursor, Wait: wait}); ; {
		chunk, err := eng.Read(ctx, id, o)
		if err != nil {
			return err
		}
		found := search.feed(chunk)
		quiet := len(chunk.Segments) == 0
		left := time.Until(deadline)
		if chunk.EOF || left <= 0 || found && (quiet || re != nil) || quiet && search.begun() {
			return nil
		}
		o.Cursor, o.Wait = chunk.Next, left
		if found || search.begun() {
			o.Wait = min(settle, left)
		}
	}
}

// progress is what a progress notification says.
func (s *session) progress(ctx context.Context, id string) string {
	info, err := s.info(ctx, id)
	if err != nil {
		return ""
	}
	return fmt.Sprintf("%s is %s, %d bytes of output", id, info.State, info.OutputBytes)
}

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
