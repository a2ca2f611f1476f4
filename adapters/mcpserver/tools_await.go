package mcpserver

import (
	"context"
	"fmt"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/procession-go/procession"
)

// awaitPatience is how long wait_for_output waits unless a call says otherwise.
const awaitPatience = 30 * time.Second

func (s *session) waitForOutput(c call, in awaitParams) (string, awaitResult, error) {
	re, err := lineExpression("pattern", in.Pattern)
	if err != nil {
		return "", awaitResult{}, err
	}
	patience, err := secondsOr("timeout_seconds", in.TimeoutSeconds, awaitPatience)
	if err != nil {
		return "", awaitResult{}, err
	}
	info, err := s.info(c, in.ProcessID)
	if err != nil {
		return "", awaitResult{}, err
	}
	defer s.server.report(c, c.CallToolRequest, patience, func() string { return s.progress(c, in.ProcessID) })()
	find := &lineFinder{re: re}
	ended, err := s.server.find(c, info, in.Cursor, find, time.Now().Add(patience))
	if err != nil {
		return "", awaitResult{}, err
	}
	return s.foundOutput(c, in, find, ended)
}

// find feeds a finder with output from a cursor on, until it has found something, the process
// has ended, or the deadline has passed; but with all that there was at the beginning in any
// case.
func (s *Server) find(ctx context.Context, info procession.Info, cursor int64, f *lineFinder, deadline time.Time) (ended bool, _ error) {
	for {
		now := time.Now()
		o := procession.ReadOptions{Cursor: cursor, MaxBytes: bite, Wait: f.patience(now, deadline.Sub(now))}
		chunk, err := s.engine.Read(ctx, info.ID, o)
		if err != nil {
			return false, err
		}
		over := chunk.EOF || !time.Now().Before(deadline) && chunk.Next >= info.OutputBytes
		if err := s.feed(ctx, f, chunk, over); err != nil || f.found || over {
			return chunk.EOF, err
		}
		cursor = chunk.Next
	}
}

// feed feeds a finder with one chunk, and asks it about what has not ended, if there is
// nothing more for now. If that is all, it is asked about everything.
func (s *Server) feed(ctx context.Context, f *lineFinder, chunk procession.Chunk, all bool) error {
	done, err := s.turn(ctx)
	if err != nil {
		return err
	}
	defer done()
	size := 0
	for _, segment := range chunk.Segments {
		size += len(segment.Data)
	}
	now := time.Now()
	if !f.feed(chunk, now) && (all || size <= bite-utf8.UTFMax) {
		f.settled(now, all)
	}
	return nil
}

// foundOutput returns the result of a finder that has come to its end, which is that of the
// process if ended.
func (s *session) foundOutput(c call, in awaitParams, f *lineFinder, ended bool) (string, awaitResult, error) {
	if err := c.arrival.hold(c, s.server.options.TextLimit); err != nil {
		return "", awaitResult{}, err
	}
	done, err := s.server.turn(c)
	if err != nil {
		return "", awaitResult{}, err
	}
	defer done()
	info, err := s.info(c, in.ProcessID)
	if err != nil {
		return "", awaitResult{}, err
	}
	chunk, err := s.server.engine.Read(c, in.ProcessID, procession.ReadOptions{Cursor: in.Cursor})
	if err != nil {
		return "", awaitResult{}, err
	}
	if chunk.Exit != nil {
		info.State, info.Exit = procession.Exited, chunk.Exit
	}
	end, next := f.next, f.next
	switch {
	case f.found:
		end, next = f.end, f.end
	case !ended:
		next = f.resume()
	}
	limit := s.server.options.TextLimit
	lost := min(chunk.Dropped, end-in.Cursor)
	output := show(segmentsUpTo(chunk.Segments, end), either, filter{}, limit)
	result := awaitResult{
		ProcessID: in.ProcessID, Matched: f.found, Line: strings.ToValidUTF8(f.line[:min(len(f.line), limit)], ""),
		Output: output.text, Truncated: lost > 0 || output.cut > 0, Dropped: lost + int64(output.cut),
		OutputCut: outputCut(info.Exit), ExitCode: exitCode(info.Exit), Signal: exitSignal(info.Exit),
		State: info.State.String(), NextCursor: next,
	}
	return foundText(info, result, in.Pattern, in.Cursor), result, nil
}

// segmentsUpTo returns the segments before an offset.
func segmentsUpTo(segments []procession.Segment, end int64) (before []procession.Segment) {
	for _, s := range segments {
		if s.Offset >= end {
			break
		}
		s.Data = s.Data[:min(int64(len(s.Data)), end-s.Offset)]
		before = append(before, s)
	}
	return before
}

// foundText returns a result as a model reads it.
func foundText(info procession.Info, r awaitResult, pattern string, cursor int64) string {
	found := fmt.Sprintf("[matched: %s]", shortened(r.Line, 200))
	if !r.Matched {
		found = fmt.Sprintf("[no line matches %q]", shortened(pattern, 200))
	}
	return outputText(info, outputResult{Output: r.Output, Dropped: r.Dropped, OutputCut: r.OutputCut, NextCursor: r.NextCursor}, query{cursor: cursor}) + "\n" + found
}
