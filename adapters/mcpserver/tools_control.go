package mcpserver

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/procession-go/procession"
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
	result := inputResult{ProcessID: id}
	if in.Data != "" {
		ctx, cancel := context.WithTimeout(c, inputPatience)
		defer cancel()
		n, err := s.server.engine.Write(call{ctx, c.CallToolRequest, c.arrival}.acts(), id, []byte(in.Data))
		if errors.Is(err, context.DeadlineExceeded) && c.Err() == nil {
			return "", result, fmt.Errorf("%s does not read its input: after %v it has taken %d of %d bytes, and will not get the others",
				id, inputPatience, n, len(in.Data))
		}
		if err != nil {
			return "", result, explainInput(err)
		}
		result.Written = n
	}
	if in.Close {
		if err := s.server.engine.CloseStdin(c.acts(), id); err != nil {
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
	if err := s.server.engine.Release(c.acts(), in.ProcessID); err != nil {
		return "", releaseResult{}, err
	}
	text := in.ProcessID + " is forgotten."
	if before.Exit == nil {
		text = in.ProcessID + " was killed and is forgotten."
	}
	return text, releaseResult{ProcessID: in.ProcessID, Released: true}, nil
}
