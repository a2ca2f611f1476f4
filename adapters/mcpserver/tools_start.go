package mcpserver

import (
	"fmt"
	"strings"

	"github.com/google/uuid"

	"github.com/procession-go/procession"
)

// The size of the terminal of a process that is to have one.
var terminal = procession.Size{Rows: 24, Cols: 80}

func (s *session) startProcess(c call, in startParams) (string, startResult, error) {
	info, err := s.begin(c, in)
	if err != nil {
		return "", startResult{}, err
	}
	result := startResult{ProcessID: info.ID, PID: info.PID, Command: commandLine(info), State: info.State.String()}
	text := fmt.Sprintf("Started %s (pid %d): %s", info.ID, info.PID, shortened(result.Command, longestWords))
	return text, result, nil
}

// begin starts what the parameters ask for. If the call has ended by then, nothing of it is
// left.
func (s *session) begin(c call, in startParams) (procession.Info, error) {
	spec, err := specOf(in)
	if err == nil {
		err = s.server.policy.check(&spec, in.Cwd)
	}
	if err != nil {
		return procession.Info{}, err
	}
	label := uuid.NewString()
	spec.Labels = labelled(spec.Labels, startLabel, label)
	var info procession.Info
	id, err := s.start(c, spec)
	if err == nil {
		info, err = s.info(c, id)
	}
	if c.Err() != nil {
		s.undoStart(label)
		return procession.Info{}, c.Err()
	}
	if err != nil {
		return procession.Info{}, explainStart(err, spec)
	}
	c.arrival.onCancel(func() { s.undo(id) })
	return info, nil
}

// specOf returns what the parameters ask for; the directory is left to the policy.
func specOf(in startParams) (procession.Spec, error) {
	if strings.TrimSpace(in.Command) == "" {
		return procession.Spec{}, fmt.Errorf("command is empty; give a shell line, or a program with args")
	}
	for _, own := range ownLabels {
		if _, taken := in.Labels[own]; taken {
			return procession.Spec{}, fmt.Errorf("the label %q belongs to the server; choose another name", own)
		}
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
		if spec.StopSignal, err = signalOf("stop_signal", in.StopSignal); err != nil {
			return procession.Spec{}, err
		}
	}
	return spec, nil
}
