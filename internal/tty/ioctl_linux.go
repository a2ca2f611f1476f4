package tty

import "golang.org/x/sys/unix"

const (
	// Disabled is the character that stands for none (_POSIX_VDISABLE).
	Disabled = 0

	getTermios = unix.TCGETS
	maxLine    = 4095 // termios(3), "Canonical and noncanonical mode"
)
