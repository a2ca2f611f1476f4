package up

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"pgregory.net/rapid"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/procession-go/procession"
	"github.com/procession-go/procession/internal/cli/console"
	"github.com/procession-go/procession/internal/poolfile"
)

// displayInFile is a display of one process, a, with all it shows in one file.
func displayInFile(t require.TestingT, dir string) (*display, func() string) {
	file, err := os.Create(filepath.Join(dir, "shown"))
	require.NoError(t, err)
	pool := &poolfile.Pool{Processes: []poolfile.Process{{Spec: procession.Spec{Name: "a"}}}}
	s, err := newDisplay(&console.Console{Stdout: console.NewOutlet(file), Stderr: console.NewOutlet(file)}, &upFlags{}, pool)
	require.NoError(t, err)
	return s, func() string {
		s.silence()
		file.Close()
		data, err := os.ReadFile(file.Name())
		require.NoError(t, err)
		return string(data)
	}
}

func TestRemarksAreAtTheirPlace(t *testing.T) {
	s, shown := displayInFile(t, t.TempDir())
	a := s.transcripts["a"]
	a.say(0, false, "started")
	a.say(20, true, "never came so far")
	a.say(7, true, "exited")  // in the middle of a line
	a.say(7, false, "really") // at the same place
	a.pass(procession.Segment{Offset: 0, Data: []byte("one\nno endtwo\n")}, func(int) {})
	a.say(14, true, "exited again")
	a.finish()
	s.say("over")
	want := "system | a started\na      | one\na      | no \nsystem | a exited\nsystem | a really\n" +
		"a      | endtwo\nsystem | a exited again\nsystem | a never came so far\nsystem | over\n"
	assert.Equal(t, want, shown())
}

// TestRemarksSplitOutputAnywhere writes output in any pieces, with remarks that
// come at any time before their place is reached.
func TestRemarksSplitOutputAnywhere(t *testing.T) {
	root := t.TempDir()
	rapid.Check(t, func(t *rapid.T) {
		dir, err := os.MkdirTemp(root, "")
		require.NoError(t, err)
		s, shown := displayInFile(t, dir)
		a := s.transcripts["a"]
		var output, want bytes.Buffer
		var at int64
		for i := range rapid.IntRange(0, 5).Draw(t, "incarnations") {
			text := rapid.StringMatching(`(x?\n)?[yz]{0,9}\n`).Draw(t, "text")
			output.WriteString(text)
			at += int64(len(text))
			for line := range bytes.Lines([]byte(text)) {
				want.WriteString("a      | " + string(line))
			}
			fmt.Fprintf(&want, "system | a exited %d\n", i)
			a.say(at, true, fmt.Sprint("exited ", i))
		}
		rest, passed := output.Bytes(), 0
		for at = 0; len(rest) > 0; {
			n := rapid.IntRange(1, len(rest)).Draw(t, "piece")
			a.pass(procession.Segment{Offset: at, Data: rest[:n]}, func(n int) { passed += n })
			at, rest = at+int64(n), rest[n:]
		}
		a.finish()
		require.Equal(t, want.String(), shown())
		require.Equal(t, output.Len(), passed, "bytes that were passed on")
	})
}
