package acpterm

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os/exec"
	"strings"
	"syscall"

	"github.com/coder/acp-go-sdk"

	"github.com/procession-go/procession"
)

// The codes of https://agentclientprotocol.com/protocol/v1/error that are used
// here. The SDK has no name for the first.
const (
	codeNotFound      = -32002
	codeInvalidParams = -32602
	codeInternal      = -32603
)

// refuse returns an error whose message says what is wrong, after the code's name,
// as the protocol's own SDKs write it: agents show their model the message, and
// not always the data.
func refuse(code int, data map[string]any, format string, args ...any) *acp.RequestError {
	name := map[int]string{
		codeNotFound:      "Resource not found",
		codeInvalidParams: "Invalid params",
		codeInternal:      "Internal error",
	}[code]
	e := &acp.RequestError{Code: code, Message: name + ": " + fmt.Sprintf(format, args...)}
	if data != nil { // a nil map in an interface would go out as null
		e.Data = data
	}
	return e
}

func invalidParams(format string, args ...any) error {
	return refuse(codeInvalidParams, nil, format, args...)
}

func unknownTerminal(id string) error {
	return refuse(codeNotFound, map[string]any{"terminalId": id}, "the session has no terminal %q", id)
}

func unknownSession(id acp.SessionId) error {
	return refuse(codeNotFound, map[string]any{"sessionId": id}, "the session %q has ended", string(id))
}

// failed returns what an agent is told when the engine refuses something about a
// terminal.
func failed(id string, err error) error {
	switch {
	case isOfContext(err):
		return err
	case errors.Is(err, procession.ErrNotFound):
		return unknownTerminal(id)
	}
	return refuse(codeInternal, map[string]any{"terminalId": id}, "%v", err)
}

// cannotStart returns what an agent is told when the engine does not start a command.
func cannotStart(r acp.CreateTerminalRequest, err error) error {
	code := codeInternal
	switch {
	case errors.Is(err, exec.ErrNotFound), errors.Is(err, fs.ErrNotExist):
		code = codeNotFound
	case errors.Is(err, fs.ErrPermission), isOfPath(err), errors.Is(err, procession.ErrInvalidSpec):
		code = codeInvalidParams
	}
	hint := ""
	if code == codeNotFound && len(r.Args) == 0 && strings.ContainsAny(r.Command, " \t\n|&;<>$`") {
		hint = "; a shell line needs a shell: command \"sh\", args [\"-c\", line]"
	}
	return refuse(code, map[string]any{"command": r.Command}, "%v%s", err, hint)
}

// isOfPath reports whether err says that a path leads nowhere, whatever there is.
func isOfPath(err error) bool {
	return errors.Is(err, syscall.ENOTDIR) || errors.Is(err, syscall.ELOOP) || errors.Is(err, syscall.ENAMETOOLONG)
}

func isOfContext(err error) bool {
	return errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded)
}
