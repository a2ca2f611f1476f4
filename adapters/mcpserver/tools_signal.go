package mcpserver

import (
	"fmt"
	"syscall"

	"github.com/procession-go/procession"
	"github.com/procession-go/procession/internal/signals"
)

// scopes are who gets a signal, as models say it.
var scopes = map[string]procession.Scope{"": procession.ScopeGroup, "group": procession.ScopeGroup, "leader": procession.ScopeLeader}

func (s *session) signalProcess(c call, in signalParams) (string, signalResult, error) {
	sig, err := signalOf("signal", in.Signal)
	if err != nil {
		return "", signalResult{}, err
	}
	scope, ok := scopes[in.Scope]
	if !ok {
		return "", signalResult{}, fmt.Errorf("scope is %q; it must be group or leader", shortened(in.Scope, 60))
	}
	if _, err := s.info(c, in.ProcessID); err != nil {
		return "", signalResult{}, err
	}
	if err := s.server.engine.Signal(c.acts(), in.ProcessID, sig, scope); err != nil {
		return "", signalResult{}, err
	}
	info, err := s.info(c, in.ProcessID)
	if err != nil {
		return "", signalResult{}, err
	}
	result := signalResult{ProcessID: in.ProcessID, Signal: signals.Name(sig), State: info.State.String()}
	return fmt.Sprintf("Sent %s to %s, which is %s.", result.Signal, in.ProcessID, status(info)), result, nil
}

// signalOf returns a parameter that names a signal.
func signalOf(name, text string) (syscall.Signal, error) {
	sig, err := signals.Parse(text)
	if err != nil {
		return 0, fmt.Errorf("%s is %q; it must be a signal such as SIGTERM, SIGINT, SIGHUP, SIGUSR1 or SIGKILL, or its number", name, shortened(text, 60))
	}
	return sig, nil
}
