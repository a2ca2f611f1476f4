package main

import (
	"errors"
	"os"
	"syscall"
)

// The engine has no terminals here, so that none of these is reached with one.

func onResize(func()) (stop func()) { return func() {} }

func (t *terminal) whenStopped() (undo func()) { return func() {} }

type keeper struct{}

func startKeeper(_, _ *os.File) (*keeper, error) { return &keeper{}, nil }

func (*keeper) tell(string) {}

func (*keeper) dismiss() {}

// isBrokenPipe reports whether nobody reads what is written any more.
func isBrokenPipe(err error) bool {
	const errorBrokenPipe, errorNoData = syscall.Errno(109), syscall.Errno(232)
	return errors.Is(err, errorBrokenPipe) || errors.Is(err, errorNoData)
}
