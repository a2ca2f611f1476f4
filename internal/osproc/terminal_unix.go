//go:build unix

package osproc

import (
	"os"

	"github.com/creack/pty"
	"golang.org/x/sys/unix"

	"github.com/procession-go/procession/internal/tty"
)

// openTerminal opens a pseudo-terminal. The answer is the process's side.
func (p *Process) openTerminal(size Size) (theirs end, err error) {
	master, tty, err := pty.Open()
	if err != nil {
		return end{}, err
	}
	p.terminal, err = pollable(master)
	if err == nil {
		err = p.Resize(size)
	}
	if err == nil {
		err = unix.SetNonblock(int(tty.Fd()), false) // what os opens, it does not let block
	}
	if err == nil {
		theirs, err = endOf(tty)
	} else {
		tty.Close()
	}
	if err != nil {
		if p.terminal != nil {
			p.terminal.Close()
		}
		return end{}, err
	}
	p.stdin = p.terminal
	p.streams = []*stream{openTerminalStream(p)}
	return theirs, nil
}

// pollable replaces f, which a call of Fd has made blocking, by one that the
// runtime's poller waits for.
func pollable(f *os.File) (*os.File, error) {
	defer f.Close()
	fd, err := unix.FcntlInt(f.Fd(), unix.F_DUPFD_CLOEXEC, 0)
	if err != nil {
		return nil, os.NewSyscallError("fcntl", err)
	}
	if err := unix.SetNonblock(fd, true); err != nil {
		unix.Close(fd)
		return nil, os.NewSyscallError("fcntl", err)
	}
	return os.NewFile(uintptr(fd), f.Name()), nil
}

// Resize sets the size of the terminal; its foreground process group gets
// SIGWINCH. It is an error without a terminal.
func (p *Process) Resize(size Size) error {
	return p.control(func(fd int) error {
		return unix.IoctlSetWinsize(fd, unix.TIOCSWINSZ, &unix.Winsize{Row: size.Rows, Col: size.Cols})
	})
}

// Modes returns what the terminal makes of what is written at present. It is an error
// without a terminal.
func (p *Process) Modes() (modes tty.Modes, err error) {
	err = p.control(func(fd int) (err error) {
		modes, err = tty.ModesOf(fd)
		return err
	})
	return modes, err
}

// control does something with the descriptor of the terminal.
func (p *Process) control(do func(fd int) error) error {
	if p.terminal == nil {
		return unix.ENOTTY
	}
	raw, err := p.terminal.SyscallConn()
	if err != nil {
		return err
	}
	var failed error
	if err = raw.Control(func(fd uintptr) { failed = do(int(fd)) }); err != nil {
		return err
	}
	return failed
}
