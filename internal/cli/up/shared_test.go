//go:build unix

package up_test

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/procession-go/procession/internal/cli/clitest"
	"github.com/procession-go/procession/internal/cli/interrupt"
)

// A process on a terminal of its own, which writes text, and a file that is there when
// that has been done.
func onOwnTerminal(t *testing.T, text, rest string) (file string) {
	t.Helper()
	file = clitest.PoolYAML(t, "processes: {a: {pty: true, command: [sh, text, '"+rest+"']}}")
	script := "cat <<'THE END'\n" + text + "\nTHE END\neval \"$1\"\n"
	require.NoError(t, os.WriteFile(filepath.Join(filepath.Dir(file), "text"), []byte(script), 0o600))
	return file
}

// What a program does to its own terminal does not reach the one that all share, and
// nothing of it stays, however it ends.
func TestUpSharesTheScreen(t *testing.T) {
	queries := "\x1b[c\x1b[6n\x1b]11;?\x07\x1b[?25$p\x1bP+q544e\x1b\\"
	for name, end := range map[string]func(s *clitest.Screen){
		"by itself": func(s *clitest.Screen) { os.WriteFile(filepath.Join(s.Cmd.Dir, "over"), nil, 0o600) },
		"Ctrl-C": func(s *clitest.Screen) {
			s.Key("\x03")
			s.Expect("stopping; Ctrl-C again to kill\r\n")
			time.Sleep(interrupt.AgainAfter + 50*time.Millisecond) // what comes sooner is not meant again
			s.Key("\x03")
		},
		"SIGKILL": func(s *clitest.Screen) { s.Cmd.Process.Kill() },
	} {
		t.Run(name, func(t *testing.T) {
			file := onOwnTerminal(t, clitest.Enters+queries+"first\x1b[10;5Hsecond\x1b[H\x1b[2Jthird",
				`trap "" TERM HUP; echo ready; until test -e over; do sleep 0.01; done`)
			cmd := clitest.Command(t, "up", "--grace", "1h", file)
			cmd.Dir = filepath.Dir(file)
			cmd.Env = append(cmd.Env, "NO_COLOR=1", "TERM=xterm")
			s := clitest.Show(t, cmd)
			s.ExpectMatch(`^system \| a started \(pid \d+\)\r\n`)
			for _, line := range []string{"\x1b[31mfirst", "    \x1b[31msecond", "\x1b[31mthird", "\x1b[31mready"} {
				s.Expect("a      | " + line + "\x1b[m\r\n")
			}
			end(s)
			clitest.Wait(t, s.Cmd)
			s.IsRestored()
			_, err := s.TTY.WriteString("the end")
			require.NoError(t, err)
			s.ExpectMatch(`^[^\x1b]*the end`)
		})
	}
}

// A carriage return does not bring text to where the name of its process is, on a
// terminal or in a file.
func TestUpKeepsItsPrefix(t *testing.T) {
	for _, pty := range []string{"true", "false"} {
		file := clitest.PoolYAML(t, `processes: {a: {pty: `+pty+`, command: 'printf "10%%\r100%% done\n\rx\n"'}}`)
		s := onScreen(t, file)
		s.ExpectMatch(`^system \| a started \(pid \d+\)\r\na      \| 100% done\r\na      \| x\r\nsystem \| a exited: exit status 0\r\n`)
		s.Ends(0)
		assert.Equal(t, "a      | 100% done\na      | x\n", clitest.Run(t, "up", file).Stdout, "pty: %s", pty)
	}
}

// What has no end yet is shown within a second, after the name of its process.
func TestUpShowsWhatHasNoEnd(t *testing.T) {
	for name, test := range map[string]struct{ command, shows string }{
		"a prompt":       {`printf "login: "; read x; echo you are $x`, "a      | login: \r\n"},
		"a progress bar": {`i=0; while :; do i=$((i+1)); printf "\r$i%%"; sleep 0.05; done`, `a      | `},
		"in colour":      {`printf "\033[31mred"; read x`, "a      | \x1b[31mred\x1b[m\r\n"},
		"on stderr":      {`printf "password: " >&2; read x`, "a      | password: \r\n"},
	} {
		for _, pty := range []string{"true", "false"} {
			t.Run(name+", pty: "+pty, func(t *testing.T) {
				file := clitest.PoolFile(t, "procession.yaml", "processes: {a: {pty: "+pty+", stdin: open, command: '"+strings.ReplaceAll(test.command, "'", "''")+"'}}")
				s := onScreen(t, file)
				s.ExpectMatch(`started \(pid \d+\)\r\n`)
				begin := time.Now()
				s.ExpectMatch("^" + regexp.QuoteMeta(test.shows))
				assert.Less(t, time.Since(begin), clitest.Patience/10) // a second, on a machine that has time
				if name == "a progress bar" {
					s.ExpectMatch(`^\d+%\r\na      \| \d+%\r\n`)
				}
				s.Cmd.Process.Signal(syscall.SIGTERM)
				clitest.Wait(t, s.Cmd)
			})
		}
	}
}

// The processes of a Procfile have an input that stays open, and is silent.
func TestUpLeavesTheInputOpen(t *testing.T) {
	file := clitest.PoolFile(t, "Procfile", "a: cat; echo its input has ended\nb: read x || echo its input has ended\nc: python3 -c 'import sys; sys.stdin.read(); print(\"its input has ended\")' || cat\n")
	s := onScreen(t, "--keep-going", file)
	for range 3 {
		s.ExpectMatch(`[abc].1 started`)
	}
	time.Sleep(300 * time.Millisecond) // nothing is to happen
	assert.False(t, s.Shows("ended"), "an input has ended")
	assert.False(t, s.Shows("exited"), "a process has exited")
	s.Cmd.Process.Signal(syscall.SIGTERM)
	clitest.Wait(t, s.Cmd)

	for stdin, want := range map[string]string{"": "the end", "stdin: null": "the end", "stdin: open": ""} {
		r := clitest.Run(t, "up", clitest.PoolYAML(t, fmt.Sprintf("processes:\n  a:\n    command: cat; echo the end\n    timeout: 500ms\n    %s\n", stdin)))
		assert.Equal(t, want != "", strings.Contains(r.Stdout, "the end"), stdin)
	}
}
