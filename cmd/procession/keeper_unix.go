//go:build unix

package main

import (
	"io"
	"os"
	"os/exec"
	"os/signal"
	"syscall"

	"github.com/moby/sys/reexec"
	"golang.org/x/term"
)

// keeperName is the argv[0] of a keeper: this program, executed again, to put a
// terminal back into its mode if this program dies before it can. A panic in
// some goroutine and SIGKILL leave it no other way.
const keeperName = "procession-terminal-keeper"

func init() { reexec.Register(keeperName, keep) }

// keep is the keeper. It says on stdout when it knows the mode of the terminal,
// its file 3, and waits on stdin for being dismissed, or for the end.
func keep() {
	signal.Ignore(syscall.SIGINT, syscall.SIGTERM, syscall.SIGHUP, syscall.SIGQUIT, syscall.SIGTSTP,
		syscall.SIGTTOU, syscall.SIGPIPE)
	const terminal = 3
	before, err := term.GetState(terminal)
	os.Stdout.WriteString(ready)
	os.Stdout.Close()
	if _, dismissed := os.Stdin.Read(make([]byte, 1)); dismissed == nil || err != nil {
		return
	}
	term.Restore(terminal, before)
}

const ready = "."

// keeper is this program's side.
type keeper struct {
	cmd  *exec.Cmd
	life io.WriteCloser
}

// startKeeper returns when the keeper knows the mode of the terminal.
func startKeeper(terminal *os.File) (*keeper, error) {
	cmd := reexec.Command(keeperName)
	cmd.SysProcAttr = nil // it is to outlive this program
	cmd.Stdin, cmd.Stdout, cmd.Stderr = nil, nil, nil
	cmd.ExtraFiles = []*os.File{terminal}
	cmd.Dir = "/"
	life, err := cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	io.ReadAll(out)
	return &keeper{cmd, life}, nil
}

// dismiss ends the keeper, and leaves the terminal to this program.
func (k *keeper) dismiss() {
	io.WriteString(k.life, ready)
	k.life.Close()
	k.cmd.Wait()
}
