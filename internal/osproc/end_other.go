//go:build !linux

package osproc

import "os"

// end is a leader's end of a pipe or a terminal, or the null device.
type end struct{ file *os.File }

func (e end) fd() int { return int(e.file.Fd()) }

func (e end) close() { e.file.Close() }

// endOf takes f over.
func endOf(f *os.File) (end, error) { return end{f}, nil }

// openNull opens the null device.
func openNull() (end, error) {
	f, err := os.OpenFile(os.DevNull, os.O_RDWR, 0)
	return end{f}, err
}
