package osproc

import (
	"errors"
	"io/fs"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"

	"github.com/procession-go/procession/internal/output"
)

// The environment variables that every descendant inherits, and by which it is
// found wherever it went (environ(7); /proc/PID/environ, proc(5)).
const (
	// VariableEngine holds the name of the engine.
	VariableEngine = "PROCESSION_ENGINE"
	// VariableID holds the ID of the process.
	VariableID = "PROCESSION_ID"
	// VariableProbe is set for an attempt of a probe of the process with that ID.
	VariableProbe = "PROCESSION_PROBE"
)

// Command is what to run. The zero value of each field but ID and Path is its
// default.
type Command struct {
	// ID is the process's ID, the value of VariableID.
	ID string
	// Path is the program, looked up on PATH as os/exec does.
	Path string
	// Args are its arguments, without the program itself.
	Args []string
	// Dir is the working directory. "" is the present one.
	Dir string
	// Env is added to the present environment, or to an empty one if ClearEnv.
	Env      map[string]string
	ClearEnv bool
	// Stdin keeps a pipe to standard input. Otherwise standard input is the null
	// device.
	Stdin bool
	// Log is where its output goes. nil drops it.
	Log *output.Log
	// Tap, if not nil, is called with all output before that goes to the log, which
	// may drop it at once. The function that it returns, if not nil, is called once
	// the log has the output. The readers call Tap, one at a time for each stream,
	// and wait for it. The bytes are valid during the call only.
	Tap func(s output.Stream, data []byte) (then func())
	// Probe makes it an attempt of a probe of the process with that ID: it ends by
	// itself, not with that process.
	Probe bool
	// Terminal, if not nil, is the size of a pseudo-terminal to run on.
	Terminal *Size
}

// Size is the size of a terminal in character cells.
type Size struct{ Rows, Cols uint16 }

// environment returns the environment of the program: the inherited variables that
// are not overridden, then those of Env and of the engine, in order of their names.
func (c *Command) environment(engine string) []string {
	set := make(map[string]string, len(c.Env)+4)
	if c.Dir != "" && !c.ClearEnv {
		if dir, err := filepath.Abs(c.Dir); err == nil {
			set["PWD"] = dir // as os/exec does
		}
	}
	if c.Terminal != nil {
		set["TERM"] = "xterm-256color"
	}
	maps.Copy(set, c.Env)
	set[VariableEngine], set[VariableID] = engine, c.ID
	if c.Probe {
		set[VariableProbe] = "1"
	}
	var env []string
	if !c.ClearEnv {
		env = slices.DeleteFunc(os.Environ(), func(entry string) bool {
			name, _, _ := strings.Cut(entry, "=")
			_, overridden := set[name]
			return overridden || name == VariableProbe // which is of an engine above this one
		})
	}
	given := len(env)
	env = slices.Grow(env, len(set))
	for name, value := range set {
		env = append(env, name+"="+value)
	}
	slices.Sort(env[given:])
	return env
}

// known returns the name by which its descendants are known.
func (c *Command) known() string { return knownAs(c.ID, c.Probe) }

func knownAs(id string, probe bool) string {
	if probe {
		return id + "/probe"
	}
	return id
}

// explain adds to the error of a failed start what was missing. fork/exec reports a
// missing directory, program or interpreter as "no such file or directory", and a
// forbidden one as "permission denied".
func (c *Command) explain(err error) error {
	var pathErr *fs.PathError
	if !errors.As(err, &pathErr) {
		return err
	}
	if c.Dir != "" {
		if err := CheckDir(c.Dir); err != nil {
			return err
		}
	}
	return &fs.PathError{Op: pathErr.Op, Path: pathErr.Path, Err: fitness(c.Dir, pathErr.Path, pathErr.Err)}
}

// program returns the program to execute, with its path looked up.
func (c *Command) program(engine string) (*exec.Cmd, error) {
	cmd := exec.Command(c.Path, c.Args...)
	if cmd.Err != nil {
		return nil, cmd.Err
	}
	cmd.Dir = c.Dir
	cmd.Env = c.environment(engine)
	cmd.SysProcAttr = leads(c.Terminal != nil)
	return cmd, nil
}
