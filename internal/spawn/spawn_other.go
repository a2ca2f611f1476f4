//go:build !linux || !(amd64 || arm64)

package spawn

import (
	"errors"
	"time"
)

// Forker starts programs by [syscall.StartProcess].
type Forker struct{ plain *plain }

// New makes a Forker.
func New(bool) *Forker { return &Forker{newPlain()} }

// Refusal returns why f starts no program by a script.
func (f *Forker) Refusal() error { return errors.ErrUnsupported }

// Close frees what f has. All that it has started must have ended.
func (f *Forker) Close() { f.plain.close() }

// Prepare makes the birth of p.
func (f *Forker) Prepare(p *Program) *Birth { return f.plain.prepare(p) }

// script is the birth of a child that carries one out: none does here.
type script struct{}

func (*script) isNone() bool { return true }

func (*script) start() {}

func (*script) pid() int { return 0 }

func (*script) wait(time.Duration) bool { return true }

func (*script) insteadOf(error) *plain { return nil }

func (*script) result() (pid int, err error) { return 0, errors.ErrUnsupported }
