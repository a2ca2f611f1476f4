//go:build unix

// Package tty asks the line discipline of a terminal what it makes of what is typed
// (termios(3)).
package tty

import "golang.org/x/sys/unix"

// Modes are what a terminal makes of what is typed.
type Modes struct {
	// Canonical: what is typed is handed over in lines, and there is an end-of-file.
	Canonical bool
	// Signals: some characters are signals to the foreground process group.
	Signals bool
	// EOF is the character that is the end-of-file, and Disabled if there is none.
	EOF byte
	// LNext is the character that makes the next one data, and Disabled if there is none.
	LNext byte
	// EndsLine reports which characters end a line, also instead of a newline.
	EndsLine [256]bool
}

// Disabled is the character that stands for none (_POSIX_VDISABLE).
const Disabled = disabled

// ModesOf asks the terminal of a descriptor. The master's of a pseudo-terminal are those
// of its slave.
func ModesOf(fd int) (m Modes, err error) {
	t, err := unix.IoctlGetTermios(fd, getTermios)
	if err != nil {
		return m, err
	}
	m.Canonical = t.Lflag&unix.ICANON != 0
	m.Signals = t.Lflag&unix.ISIG != 0
	m.EOF = t.Cc[unix.VEOF]
	m.LNext = disabled
	if t.Lflag&unix.IEXTEN != 0 {
		m.LNext = t.Cc[unix.VLNEXT]
	}
	m.EndsLine['\n'] = t.Iflag&unix.INLCR == 0
	m.EndsLine['\r'] = t.Iflag&unix.ICRNL != 0 && t.Iflag&unix.IGNCR == 0
	for _, c := range []byte{t.Cc[unix.VEOL], t.Cc[unix.VEOL2]} {
		if c != disabled {
			m.EndsLine[c] = true
		}
	}
	return m, nil
}

// Interrupts reports whether a Ctrl-C at the controlling terminal is a SIGINT to the
// process group of this program: whether that has the foreground.
func Interrupts() bool {
	fd, err := unix.Open("/dev/tty", unix.O_RDONLY|unix.O_NOCTTY|unix.O_NONBLOCK|unix.O_CLOEXEC, 0)
	if err != nil {
		return false // there is none
	}
	defer unix.Close(fd)
	group, err := unix.IoctlGetInt(fd, unix.TIOCGPGRP)
	if err != nil || group != unix.Getpgrp() {
		return false
	}
	modes, err := ModesOf(fd)
	return err == nil && modes.Signals
}
