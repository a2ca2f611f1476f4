// Package logfile writes the output of a process to a file, and begins another when that is
// full.
package logfile

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/dustin/go-humanize"

	"gopkg.in/natefinch/lumberjack.v2"

	"github.com/procession-go/procession"
)

// File gets all output of one process, byte for byte, in the order in which it came, however
// slowly the screen is read. It is appended to, as by >>: others may empty it or append to
// it, too, and nothing of theirs is overwritten.
type File struct {
	name    string
	path    string
	say     func(string)
	file    io.WriteCloser    // nil if it is not open
	at      fs.FileInfo       // of file
	full    lumberjack.Logger // moves a full one away, and writes nothing: its files are not appended to
	missing int64             // bytes, since it can not be written
	broken  bool              // that it can not has been said
}

// A log is closed when it has logSize megabytes, and logsKept closed ones are
// kept.
const logSize, logsKept = 10, 10

// New makes the log NAME.log in dir. It is an error if something is there that is no
// regular file. What procession has to say of the log is passed to say.
func New(dir, name string, say func(string)) (*File, error) {
	l := &File{name: name, path: filepath.Join(dir, name+".log"), say: say}
	l.full = lumberjack.Logger{Filename: l.path, MaxBackups: logsKept}
	_, err := l.look()
	return l, err
}

// look sees what is at the path, nil if there is nothing. It is an error if that is
// no file.
func (l *File) look() (fs.FileInfo, error) {
	info, err := os.Stat(l.path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, nil
	case err != nil:
		return nil, err
	case !info.Mode().IsRegular():
		return nil, fmt.Errorf("%s is no regular file", l.path)
	}
	return info, nil
}

// Write writes output. It never fails, and never waits for room: what cannot be written is
// missing. The log goes on as soon as it can, in a line of its own. Both are said, and are
// no reason to stop a pool.
func (l *File) Write(s procession.Segment) error {
	var n int
	var err error
	if l.broken && l.endsInALine() {
		_, err = l.tryWrite([]byte("\n"))
	}
	if err == nil {
		n, err = l.tryWrite(s.Data)
	}
	if err != nil {
		l.missing += int64(len(s.Data) - n)
		if !l.broken {
			l.broken = true
			l.say(fmt.Sprintf("the log of %s is not written from here on: %v", l.name, err))
		}
		return nil
	}
	if l.broken {
		l.say(fmt.Sprintf("the log of %s goes on; %s are missing from it", l.name, humanize.IBytes(uint64(l.missing))))
		l.broken, l.missing = false, 0
	}
	return nil
}

func (l *File) tryWrite(data []byte) (int, error) {
	now, err := l.look()
	if err != nil {
		l.shut()
		return 0, err
	}
	moved := l.file == nil || now == nil || !os.SameFile(l.at, now) // it was removed, or renamed
	if moved || hasNoRoom(now, len(data)) {
		if err := l.open(len(data)); err != nil {
			return 0, err
		}
	}
	return l.file.Write(data)
}

// endsInALine reports whether the last byte of the log is no newline.
func (l *File) endsInALine() bool {
	now, err := l.look()
	if err != nil || now == nil {
		return false
	}
	file, err := os.Open(l.path)
	if err != nil {
		return false
	}
	defer file.Close()
	var last [1]byte
	n, _ := file.ReadAt(last[:], now.Size()-1) // none if it is empty
	return n == 1 && last[0] != '\n'
}

// hasNoRoom reports whether a log would become too large by n bytes more.
func hasNoRoom(log fs.FileInfo, n int) bool {
	return log != nil && log.Size() > 0 && log.Size()+int64(n) > logSize<<20
}

// open opens what is at the path, or a new file if there is nothing, or no room for n
// bytes. Two that write the same log do that one after the other.
func (l *File) open(n int) error {
	l.shut()
	dir := filepath.Dir(l.path)
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	defer lockDir(dir)()
	now, err := l.look()
	if err != nil {
		return err
	}
	if hasNoRoom(now, n) {
		err := l.full.Rotate()
		l.full.Close()
		if err != nil {
			return err
		}
	}
	file, err := os.OpenFile(l.path, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	l.file = file
	l.at, err = file.Stat()
	return err
}

func (l *File) shut() {
	if l.file != nil {
		l.file.Close()
		l.file = nil
	}
}

// Close ends the log, and says how much is missing from its end.
func (l *File) Close() {
	l.shut()
	if l.broken {
		l.say(fmt.Sprintf("%s are missing from the end of the log of %s", humanize.IBytes(uint64(l.missing)), l.name))
	}
}
