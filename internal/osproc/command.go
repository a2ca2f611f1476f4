package osproc

import (
	"errors"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
)

// The marks: environment variables that every descendant inherits, and by which
// it is found wherever it went (see environ(7); /proc/PID/environ, proc(5)).
const (
	// MarkEngine holds the name of the engine.
	MarkEngine = "PROCESSION_ENGINE"
	// MarkID holds the ID of the process.
	MarkID = "PROCESSION_ID"
)

// Command is what to run. The zero value of each field but ID and Path is its
// default.
type Command struct {
	// ID is the process's ID, the value of MarkID.
	ID string
	// Path is the program, looked up on PATH as os/exec does.
	Path string
	// Args are its arguments, the program itself not included.
	Args []string
	// Dir is the working directory, "" the present one.
	Dir string
	// Env is added to the present environment, or to an empty one if ClearEnv.
	Env      map[string]string
	ClearEnv bool
	// Stdin keeps a pipe to standard input; otherwise it is the null device.
	Stdin bool
	// Terminal, if not nil, is the size of a pseudo-terminal to run on.
	Terminal *Size
}

// Size is the size of a terminal in character cells.
type Size struct{ Rows, Cols uint16 }

// environment is what the program sees: the inherited variables that are not
// overridden, then those of Env in order of their names, then the marks.
func (c *Command) environment(engine string) []string {
	var env []string
	if !c.ClearEnv {
		inherited := os.Environ()
		env = slices.Grow(inherited[:0], len(inherited)+len(c.Env)+4)
		for _, entry := range inherited {
			name, _, _ := strings.Cut(entry, "=")
			if _, overridden := c.Env[name]; !overridden && name != MarkEngine && name != MarkID {
				env = append(env, entry)
			}
		}
		if _, given := c.Env["PWD"]; c.Dir != "" && !given {
			if dir, err := filepath.Abs(c.Dir); err == nil {
				env = append(env, "PWD="+dir) // as os/exec does: the last one counts
			}
		}
	}
	given := len(env)
	for name, value := range c.Env {
		if name != MarkEngine && name != MarkID {
			env = append(env, name+"="+value)
		}
	}
	slices.Sort(env[given:])
	if _, given := c.Env["TERM"]; c.Terminal != nil && !given {
		env = append(env, "TERM=xterm-256color")
	}
	return append(env, MarkEngine+"="+engine, MarkID+"="+c.ID)
}

// explain makes a failed start say what was missing: fork/exec reports a missing
// directory, program and interpreter all as "no such file or directory".
func (c *Command) explain(err error) error {
	var pathErr *fs.PathError
	if !errors.As(err, &pathErr) || c.Dir == "" {
		return err
	}
	info, statErr := os.Stat(c.Dir)
	switch {
	case statErr != nil:
		errors.As(statErr, &pathErr)
		return &fs.PathError{Op: "chdir", Path: c.Dir, Err: pathErr.Err}
	case !info.IsDir():
		return &fs.PathError{Op: "chdir", Path: c.Dir, Err: errNotDir}
	}
	return err
}

// cmd is the exec.Cmd for c, without its files.
func (c *Command) cmd(engine string) (*exec.Cmd, error) {
	cmd := exec.Command(c.Path, c.Args...)
	if cmd.Err != nil {
		return nil, cmd.Err
	}
	cmd.Dir = c.Dir
	cmd.Env = c.environment(engine)
	return cmd, nil
}
