//go:build darwin || dragonfly || freebsd || netbsd || openbsd

package tty

import "golang.org/x/sys/unix"

const (
	// Disabled is the character that stands for none (_POSIX_VDISABLE).
	Disabled = 0xff

	getTermios = unix.TIOCGETA
	maxLine    = 0 // it is not the same everywhere
)
