package mcpserver

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/procession-go/procession"
	"github.com/procession-go/procession/internal/posted"
)

// inputPatience is how long a process may take to read what it is sent.
var inputPatience = 10 * time.Second // shorter in tests

func (s *session) sendInput(c call, in inputParams) (string, inputResult, error) {
	id := in.ProcessID
	info, err := s.info(c, id)
	if err != nil {
		return "", inputResult{}, err
	}
	if in.Data == "" && !in.Close {
		return "", inputResult{}, errors.New("there is nothing to send: data is empty and close is not set")
	}
	if info.Exit != nil { // closing once more would be no error for the engine
		return "", inputResult{}, fmt.Errorf("%s takes no input any more: it has ended (%v)", id, info.Exit)
	}
	// End-of-file is in the engine's queue, behind the data, before the next call begins.
	closed := make(chan error, 1)
	end := func() {
		go func() { closed <- s.server.engine.CloseStdin(c.acts(), id) }()
	}
	result := inputResult{ProcessID: id}
	if in.Data != "" {
		ctx, cancel := context.WithTimeout(c, inputPatience)
		defer cancel()
		begun := end
		if !in.Close {
			begun = c.arrival.begin
		}
		n, err := s.server.engine.Write(posted.Context(ctx, begun), id, []byte(in.Data))
		if errors.Is(err, context.DeadlineExceeded) && c.Err() == nil {
			err = fmt.Errorf("%s does not read its input: after %v it has taken %d of %d bytes, and will not get the others",
				id, inputPatience, n, len(in.Data))
			if in.Close && <-closed == nil {
				err = fmt.Errorf("%w, but end-of-file", err)
			}
			return "", result, err
		}
		if err != nil {
			return "", result, explainInput(err)
		}
		result.Written = n
	} else {
		end()
	}
	if in.Close {
		if err := <-closed; err != nil {
			return "", result, explainInput(err)
		}
		result.Closed = true
	}
	text := fmt.Sprintf("Wrote %d bytes to %s", result.Written, id)
	if result.Closed {
		text += ", and end-of-file"
	}
	return text + ".", result, nil
}

func (s *session) killProcess(c call, in killParams) (string, killResult, error) {
	before, err := s.info(c, in.ProcessID)
	if err != nil {
		return "", killResult{}, err
	}
	defer s.server.report(c, c.CallToolRequest, 0, func() string { return s.progress(c, in.ProcessID) })()
	var how procession.KillOptions
	if in.Force {
		how.Grace = -1
	}
	exit, err := s.server.engine.Kill(c.acts(), in.ProcessID, how)
	if err != nil {
		return "", killResult{}, err
	}
	result := killResult{
		ProcessID: in.ProcessID, State: procession.Exited.String(),
		ExitCode: exitCode(&exit), Signal: exitSignal(&exit),
	}
	text := fmt.Sprintf("%s has ended (%v). Its output can still be read.", in.ProcessID, exit)
	if before.Exit != nil {
		text = fmt.Sprintf("%s had ended before (%v).", in.ProcessID, exit)
	}
	return text, result, nil
}

func (s *session) releaseProcess(c call, in idParams) (string, releaseResult, error) {
	before, err := s.info(c, in.ProcessID)
	if err != nil {
		return "", releaseResult{}, err
	}
	defer s.server.report(c, c.CallToolRequest, 0, func() string { return s.progress(c, in.ProcessID) })()
	known := s.forget(in.ProcessID)
	if err := s.server.engine.Release(c.acts(), in.ProcessID); err != nil {
		if c.Err() == nil && !errors.Is(err, procession.ErrNotFound) { // it goes on otherwise
			known()
		}
		return "", releaseResult{}, err
	}
	known()
	text := in.ProcessID + " is forgotten."
	if before.Exit == nil {
		text = in.ProcessID + " was killed and is forgotten."
	}
	return text, releaseResult{ProcessID: in.ProcessID, Released: true}, nil
}
