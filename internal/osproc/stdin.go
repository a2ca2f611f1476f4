package osproc

import (
	"errors"
	"os"
	"time"
)

// ErrNoStdin: the process has no standard input, or it was closed.
var ErrNoStdin = errors.New("standard input is closed")

// Write writes data to standard input. It calls done when all of data is in the
// pipe, or when an error came after the first n bytes; that may be at once. Only
// one Write may be under way at a time. data must not be modified before done is
// called.
func (p *Process) Write(data []byte, done func(n int, err error)) {
	if p.stdin == nil {
		done(0, ErrNoStdin)
		return
	}
	n := p.writeNow(data)
	if n == len(data) {
		done(n, nil)
		return
	}
	go func() {
		more, err := p.stdin.Write(data[n:])
		done(n+more, err)
	}()
}

// writeNow writes what there is room for.
func (p *Process) writeNow(data []byte) (n int) {
	raw, err := p.stdin.SyscallConn()
	if err != nil {
		return 0
	}
	raw.Write(func(fd uintptr) bool {
		n = max(writeOnce(fd, data), 0)
		return true
	})
	return n
}

// InterruptWrite ends a Write that is under way early, with os.ErrDeadlineExceeded
// and the number of bytes that were written.
func (p *Process) InterruptWrite() { p.stdin.SetWriteDeadline(time.Unix(1, 0)) }

// ResumeWrite makes Write work again after InterruptWrite.
func (p *Process) ResumeWrite() { p.stdin.SetWriteDeadline(time.Time{}) }

// CloseStdin closes the pipe to standard input. On a terminal it does nothing.
// It must not be called while a Write is under way.
func (p *Process) CloseStdin() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.stdin == nil || p.stdinClosed || p.terminal != nil {
		return nil
	}
	p.stdinClosed = true
	if err := p.stdin.Close(); err != nil && !errors.Is(err, os.ErrClosed) {
		return err
	}
	return nil
}
