package console

import (
	"errors"
	"os"
	"sync"
	"syscall"
)

// Outlet is a file that output goes to: stdout or stderr. A write to a pipe that nobody
// reads never returns. So it is made by a goroutine of its own, and nobody waits for that
// once the outlet has been given up. What could not be written by then, and what comes
// later, is lost, and counted.
type Outlet struct {
	File     *os.File
	Terminal bool          // it is one
	step     int           // bytes with which a write may wait
	gaveUp   chan struct{} // closed by giveUp
	once     sync.Once

	turn sync.Mutex // of one that writes

	mu      sync.Mutex
	piece   []byte // what is being written, copied: who has given up uses the bytes again
	rest    []byte // of what is to be written, with piece
	written int64
	lost    int64
}

// pageSize is with how many bytes a write to what is no regular file may wait. A pipe
// takes a page as a whole or not at all (pipe(7)): what is being written is not in it.
const (
	pieceSize = 64 << 10
	pageSize  = 4 << 10
)

// NewOutlet is an outlet to a file.
func NewOutlet(file *os.File) *Outlet {
	o := &Outlet{File: file, Terminal: IsTerminal(file), step: pageSize, gaveUp: make(chan struct{}), piece: make([]byte, pieceSize)}
	if info, err := file.Stat(); err == nil && info.Mode().IsRegular() {
		o.step = pieceSize
	}
	return o
}

// giveUp lets nobody wait for a reader any more.
func (o *Outlet) giveUp() { o.once.Do(func() { close(o.gaveUp) }) }

// IsGivenUp reports whether the outlet has been given up.
func (o *Outlet) IsGivenUp() bool {
	select {
	case <-o.gaveUp:
		return true
	default:
		return false
	}
}

// Write writes data, or loses it when the outlet has been given up.
func (o *Outlet) Write(data []byte) (int, error) {
	o.turn.Lock()
	defer o.turn.Unlock()
	if o.IsGivenUp() {
		o.lose(len(data))
		return len(data), nil
	}
	o.mu.Lock()
	o.rest = data
	o.mu.Unlock()
	done := make(chan error, 1)
	go func() { done <- o.pass() }()
	var err error
	select {
	case err = <-done:
	case <-o.gaveUp:
	}
	left := o.forget()
	if err != nil {
		return len(data) - left, err
	}
	o.lose(left)
	return len(data), nil
}

// pass writes what is to be written, until it is forgotten.
func (o *Outlet) pass() error {
	for {
		o.mu.Lock()
		piece := o.piece[:copy(o.piece, o.rest)]
		o.mu.Unlock()
		if len(piece) == 0 {
			return nil
		}
		n, err := o.write(piece)
		o.mu.Lock()
		o.written += int64(n)
		o.rest = o.rest[min(n, len(o.rest)):]
		o.mu.Unlock()
		switch {
		case o.Terminal && errors.Is(err, syscall.EIO): // it was hung up
			return syscall.EPIPE
		case err != nil:
			return err
		}
	}
}

// write writes some of a piece.
func (o *Outlet) write(piece []byte) (int, error) {
	if o.step < len(piece) {
		if n := writeNow(o.File, piece); n > 0 {
			return n, nil
		}
	}
	return o.File.Write(piece[:min(len(piece), o.step)])
}

// forget answers how many bytes have not been written, and will not be.
func (o *Outlet) forget() (left int) {
	o.mu.Lock()
	defer o.mu.Unlock()
	left = len(o.rest)
	o.rest = nil
	return left
}

func (o *Outlet) lose(n int) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.lost += int64(n)
}

// losses are how many bytes have been lost.
func (o *Outlet) losses() int64 {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.lost
}

// Coloured reports whether the outlet may be written to in colour. It must be a terminal
// that has colours, and NO_COLOR must not be set (https://no-color.org).
func (o *Outlet) Coloured() bool {
	return os.Getenv("NO_COLOR") == "" && os.Getenv("TERM") != "dumb" && o.Terminal
}
