package main

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"gopkg.in/natefinch/lumberjack.v2"

	"github.com/procession-go/procession"
)

// outputLog is the file that gets all output of one process, byte for byte and in
// the order in which it came. It does not pass through the screen, which may be
// held up.
type outputLog struct {
	name    string
	path    string
	file    io.WriteCloser
	say     func(string)
	at      fs.FileInfo // the file that was at path when it was written last, nil if there was none
	missing int64       // bytes, since it can not be written
	broken  bool        // that it can not has been said
}

// A log is closed when it has logSize megabytes, and logsKept closed ones are
// kept.
const logSize, logsKept = 10, 10

// newOutputLog is the log in dir of the process of that name. What is no file is left
// alone.
func newOutputLog(dir, name string, say func(string)) (*outputLog, error) {
	path := filepath.Join(dir, name+".log")
	file := &lumberjack.Logger{Filename: path, MaxSize: logSize, MaxBackups: logsKept}
	l := &outputLog{name: name, path: path, file: file, say: say}
	_, err := l.look()
	return l, err
}

// look sees what is at the path, nil if there is nothing. It is an error if that is
// no file.
func (l *outputLog) look() (fs.FileInfo, error) {
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

// write writes output. It never fails, and never waits for room: what cannot be
// written is missing from the log, which goes on as soon as it can. That is said, and
// is no reason to stop a pool.
func (l *outputLog) write(s procession.Segment) error {
	n, err := l.tryWrite(s.Data)
	if err != nil {
		l.missing += int64(len(s.Data) - n)
		if !l.broken {
			l.broken = true
			l.say(fmt.Sprintf("the log of %s is not written from here on: %v", l.name, err))
		}
		return nil
	}
	if l.broken {
		l.say(fmt.Sprintf("the log of %s goes on; %s are missing from it", l.name, bytesText(l.missing)))
		l.broken, l.missing = false, 0
	}
	return nil
}

func (l *outputLog) tryWrite(data []byte) (int, error) {
	now, err := l.look()
	if err != nil || l.at != nil && (now == nil || !os.SameFile(l.at, now)) {
		l.file.Close() // it was removed, or renamed: the next write opens what is there now
	}
	if err != nil {
		return 0, err
	}
	n, err := l.file.Write(data)
	l.at, _ = l.look()
	return n, err
}

// close ends the log, and says what is missing from its end.
func (l *outputLog) close() {
	l.file.Close()
	if l.broken {
		l.say(fmt.Sprintf("%s are missing from the end of the log of %s", bytesText(l.missing), l.name))
	}
}
