//go:build unix

package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/procession-go/procession"
)

// A file that takes one write.
type fullFile struct{ bytes.Buffer }

func (f *fullFile) Write(data []byte) (int, error) {
	if f.Len() > 0 {
		return 0, errors.New("no room")
	}
	return f.Buffer.Write(data)
}

func (*fullFile) Close() error { return nil }

func TestALogThatCannotBeWrittenEnds(t *testing.T) {
	var file fullFile
	var said []string
	l := &outputLog{name: "a", file: &file, say: func(text string) { said = append(said, text) }}
	for _, text := range []string{"one", "two", "three"} {
		if err := l.write(procession.Segment{Data: []byte(text)}); err != nil {
			t.Error(err)
		}
	}
	if file.String() != "one" || len(said) != 1 || said[0] != "the log of a ends here: no room" {
		t.Errorf("the log has %q; said %q", &file.Buffer, said)
	}
}

func TestUpLogs(t *testing.T) {
	const size = 25 << 20
	file := poolYAML(t, fmt.Sprintf(`
processes:
  flood: {command: [SELF, "%d"], env: {%s: much}}
  short: {command: printf 'a\nb', depends_on: {flood: exited-successfully}}
`, size, asHelper))
	dir := filepath.Join(t.TempDir(), "some", "logs")
	cmd := cli(t, "up", "--log-dir", dir, file)
	if err := cmd.Run(); err != nil {
		t.Fatal(err)
	}
	if data, err := os.ReadFile(filepath.Join(dir, "short.log")); string(data) != "a\nb" || err != nil {
		t.Errorf("short.log has %q, %v", data, err)
	}
	logs, _ := filepath.Glob(filepath.Join(dir, "flood-*.log")) // in order of time
	if len(logs) != 2 {
		t.Errorf("%q were rotated", logs)
	}
	var all []byte
	for _, name := range append(logs, filepath.Join(dir, "flood.log")) {
		data, err := os.ReadFile(name)
		if err != nil || len(data) > logSize<<20 {
			t.Errorf("%s has %d bytes, %v", name, len(data), err)
		}
		all = append(all, data...)
	}
	want, _ := io.ReadAll(noise(3, size))
	if !bytes.Equal(all, want) {
		t.Errorf("%d bytes, want the %d that were written", len(all), len(want))
	}
}

// blockedUp runs up with nobody who reads its screen, until the log of the process
// a is complete. That must not depend on the screen.
func blockedUp(t *testing.T, complete string, command string) string {
	t.Helper()
	dir := t.TempDir()
	cmd := cli(t, "up", "--log-dir", dir, poolYAML(t, "processes:\n  a:\n    command: "+command+"\n"))
	cmd.Env = append(cmd.Env, "LOGS="+dir)
	var pipes [2]*os.File // that are read only when all is over
	for i, stream := range []*io.Writer{&cmd.Stdout, &cmd.Stderr} {
		r, w, err := os.Pipe()
		if err != nil {
			t.Fatal(err)
		}
		defer r.Close()
		defer w.Close()
		pipes[i], *stream = r, w
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	var data []byte
	until(t, "the log is complete", func() bool {
		data, _ = os.ReadFile(filepath.Join(dir, "a.log"))
		return strings.Contains(string(data), complete)
	})
	cmd.Process.Signal(syscall.SIGINT)
	for _, r := range pipes {
		r.Close()
	}
	wait(t, cmd)
	return string(data)
}

// A log is written though nobody reads the screen.
func TestUpLogsThoughTheScreenIsHeldUp(t *testing.T) {
	const n = 200_000
	var want strings.Builder
	for i := range n {
		fmt.Fprintln(&want, i+1)
	}
	if got := blockedUp(t, fmt.Sprintf("\n%d\n", n), fmt.Sprintf("seq %d", n)); got != want.String() {
		t.Errorf("the log has %d bytes, or different ones, want %d", len(got), want.Len())
	}
}

// The streams of a process are in one order in its log, though they go to different
// places, of which one waits: what comes after much output is after it.
func TestUpLogsInOrder(t *testing.T) {
	got := blockedUp(t, "end", `head -c 1000000 /dev/zero; until test $(cat $LOGS/a.log 2>/dev/null | wc -c) -eq 1000000; do sleep 0.01; done; echo end >&2`)
	if want := strings.Repeat("\x00", 1_000_000) + "end\n"; got != want {
		t.Errorf("the log has %d bytes, or in another order; it ends with %q", len(got), got[max(0, len(got)-20):])
	}
}
