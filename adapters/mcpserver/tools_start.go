package mcpserver

import (
	"fmt"
	"strings"

	"github.com/procession-go/procession"
	"github.com/procession-go/procession/internal/signals"
)

// The size of the terminal of a process that is to have one.
var terminal = procession.Size{Rows: 24, Cols: 80}

func (s *session) startProcess(c call, in startParams) (string, startResult, error) {
	spec, err := specOf(in)
	if err == nil {
		err = s.server.policy.check(&spec, in.Cwd)
	}
	if err != nil {
		return "", startResult{}, err
	}
	id, err := s.start(c, spec)
	if err != nil {
		return "", startResult{}, explainStart(err, spec)
	}
	c.arrival.onCancel(func() { s.undo(id) })
	info, err := s.info(c, id)
	if err != nil {
		return "", startResult{}, err
	}
	result := startResult{ProcessID: id, PID: info.PID, Command: commandLine(info), State: info.State.String()}
	text := fmt.Sprintf("Started %s (pid %d): %s", id, info.PID, shortened(result.Command, longestWords))
	return text, result, nil
}

// specOf is what the parameters ask for; the directory is left to the policy.
func specOf(in startParams) (procession.Spec, error) {
	if strings.TrimSpace(in.Command) == "" {
		return procession.Spec{}, fmt.Errorf("command is empty; give a shell line, or a program with args")
	}
	if _, taken := in.Labels[SessionLabel]; taken {
		return procession.Spec{}, fmt.Errorf("the label %q belongs to the server; choose another name", SessionLabel)
	}
	timeout, err := seconds("timeout_seconds", in.TimeoutSeconds)
	if err != nil {
		return procession.Spec{}, err
	}
	spec := procession.Spec{Command: in.Command, Args: in.Args}
	if len(in.Args) == 0 {
		spec = procession.Shell(in.Command)
	}
	spec.Name, spec.Env, spec.Labels = in.Name, in.Env, in.Labels
	spec.OutputLimit, spec.Stdin, spec.Timeout = in.OutputLimit, in.Stdin, timeout
	if in.PTY {
		spec.PTY = &terminal
	}
	if in.StopSignal != "" {
		if spec.StopSignal, err = signals.Parse(in.StopSignal); err != nil {
			return procession.Spec{}, fmt.Errorf("stop_signal: %w", err)
		}
	}
	return spec, nil
}
