//go:build unix

package tty

import "golang.org/x/sys/unix"

// ModesOf asks the terminal of a descriptor. The master's of a pseudo-terminal are those
// of its slave.
func ModesOf(fd int) (m Modes, err error) {
	t, err := unix.IoctlGetTermios(fd, getTermios)
	if err != nil {
		return m, err
	}
	m = Modes{
		Canonical: t.Lflag&unix.ICANON != 0, Signals: t.Lflag&unix.ISIG != 0,
		EOF: t.Cc[unix.VEOF], Erase: t.Cc[unix.VERASE], Quote: Disabled, MaxLine: maxLine,
	}
	ends := []byte{m.EOF, t.Cc[unix.VEOL], t.Cc[unix.VKILL]}
	if t.Lflag&unix.IEXTEN != 0 {
		m.Quote = t.Cc[unix.VLNEXT]
		ends = append(ends, t.Cc[unix.VEOL2])
	}
	if m.Signals && t.Lflag&unix.NOFLSH == 0 { // these drop the line
		ends = append(ends, t.Cc[unix.VINTR], t.Cc[unix.VQUIT], t.Cc[unix.VSUSP])
	}
	for _, c := range ends {
		m.Ends[c] = c != Disabled
	}
	m.Ends['\n'] = t.Iflag&unix.INLCR == 0
	m.Ends['\r'] = t.Iflag&unix.ICRNL != 0 && t.Iflag&unix.IGNCR == 0
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
