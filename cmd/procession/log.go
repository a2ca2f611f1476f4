package main

import (
	"fmt"
	"io"
	"path/filepath"

	"gopkg.in/natefinch/lumberjack.v2"

	"github.com/procession-go/procession"
)

// outputLog is the file that gets all output of one process, byte for byte and in
// the order in which it came. It does not pass through the screen, which may be
// held up.
type outputLog struct {
	name  string
	file  io.WriteCloser
	say   func(string)
	ended bool // it could not be written
}

// A log is closed when it has logSize megabytes, and logsKept closed ones are
// kept.
const logSize, logsKept = 10, 10

func newOutputLog(dir, name string, say func(string)) *outputLog {
	file := &lumberjack.Logger{Filename: filepath.Join(dir, name+".log"), MaxSize: logSize, MaxBackups: logsKept}
	return &outputLog{name: name, file: file, say: say}
}

// write writes output. It never fails: that the log ends is said once, and is no
// reason to stop a pool.
func (l *outputLog) write(s procession.Segment) error {
	if l.ended {
		return nil
	}
	if _, err := l.file.Write(s.Data); err != nil {
		l.ended = true
		l.say(fmt.Sprintf("the log of %s ends here: %v", l.name, err))
	}
	return nil
}

func (l *outputLog) close() { l.file.Close() }
