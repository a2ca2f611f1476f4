package mcpserver

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os/exec"
	"strings"
	"unicode/utf8"

	"github.com/procession-go/procession"
	"github.com/procession-go/procession/internal/visible"
)

// Errors that a model reads: each says what to do instead.

// namedAtMost is how many processes an error names.
const namedAtMost = 20

// unknown returns the error for an ID that is none of the session's.
func (s *session) unknown(ctx context.Context, id string) error {
	processes, err := s.list(ctx)
	if err != nil {
		return err
	}
	return unknownProcess(id, processes)
}

func unknownProcess(id string, processes []procession.Info) error {
	if len(processes) == 0 {
		return fmt.Errorf("no process %q; there are none: start one with start_process", id)
	}
	return fmt.Errorf("no process %q; there are: %s", id, named(processes))
}

// named lists processes, the newest if there are many.
func named(processes []procession.Info) string {
	var b strings.Builder
	if more := len(processes) - namedAtMost; more > 0 {
		fmt.Fprintf(&b, "%d older ones, ", more)
		processes = processes[more:]
	}
	for i, p := range processes {
		if i > 0 {
			b.WriteString(", ")
		}
		fmt.Fprintf(&b, "%s (%s: %s)", p.ID, p.State, shortened(commandLine(p), 60))
	}
	return b.String()
}

// explain returns an error of the engine, in a call of a tool, as a model needs it.
func (s *session) explain(ctx context.Context, tool string, err error) error {
	return told(s.whatToDo(ctx, tool, err))
}

func (s *session) whatToDo(ctx context.Context, tool string, err error) error {
	switch {
	case errors.Is(err, context.Canceled):
		if cause := context.Cause(ctx); errors.Is(cause, errSessionEnded) {
			return cause
		}
		return cancelled(tool)
	case errors.Is(err, procession.ErrLimit):
		running, listErr := s.server.engine.List(ctx, procession.Selector{
			Labels: s.selector().Labels, States: []procession.State{procession.Starting, procession.Running, procession.Stopping}})
		if listErr != nil {
			return err
		}
		if len(running) == 0 {
			return fmt.Errorf("%w, all of them of other clients; try again later", err)
		}
		return fmt.Errorf("%w; kill_process some that are no longer needed, of: %s", err, named(running))
	case errors.Is(err, procession.ErrClosed):
		return errServerClosed
	}
	return err
}

// cancelled returns the error of a call that the client has cancelled. A start is undone, see
// session.undo. Otherwise that ends the waiting only: what the tool has begun goes on.
func cancelled(tool string) error {
	const call = "the call was cancelled"
	switch tool {
	case "start_process", "run_command":
		return errors.New(call + ": what it had started was killed, and is forgotten")
	case "signal_process":
		return errors.New(call + ", but the signal may have been sent")
	case "send_input":
		return errors.New(call + ", but some of the input may have been written")
	case "kill_process":
		return errors.New(call + ", but the process may be ending all the same; get_process_info tells")
	case "release_process":
		return errors.New(call + ", but the process may be killed and forgotten all the same; list_processes tells")
	}
	return errors.New(call + "; the process is not affected")
}

// explainStart returns the error of a failed start.
func explainStart(err error, spec procession.Spec) error {
	missing := errors.Is(err, exec.ErrNotFound) || errors.Is(err, fs.ErrNotExist)
	if missing && len(spec.Args) > 0 && strings.ContainsAny(spec.Command, " \t") {
		return fmt.Errorf("%w; with args, command is the program alone: put each of its arguments in args, or leave args out for a shell line", err)
	}
	return err
}

// explainInput returns the error of failed input.
func explainInput(err error) error {
	if errors.Is(err, procession.ErrStdinClosed) && strings.Contains(err.Error(), "started without") {
		return fmt.Errorf("%w; start it with stdin (or pty) true to write to it", err)
	}
	return err
}

// longestError is how long an error is, in bytes before what is in it is escaped.
const longestError = 4 << 10

// told returns an error as a model reads it: in one line, whatever words it quotes. The
// middle is left out of one that is too long, for its end says what to do.
func told(err error) error {
	text := elided(err.Error())
	if text = visible.Line(text); text == err.Error() {
		return err
	}
	return errors.New(text)
}

// elided returns text without its middle, if it is too long for an error.
func elided(text string) string {
	if len(text) <= longestError {
		return text
	}
	begin, end := longestError/2, len(text)-longestError/2
	for begin > 0 && !utf8.RuneStart(text[begin]) {
		begin--
	}
	for end < len(text) && !utf8.RuneStart(text[end]) {
		end++
	}
	return text[:begin] + " … " + text[end:]
}

// shortened returns text in one line, of n characters of it at the most.
func shortened(text string, n int) string { return visible.Short(text, n) }
