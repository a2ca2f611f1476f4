//go:build unix

package terminal_test

import (
	"fmt"
	"os"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/procession-go/procession/internal/cli/clitest"
	"github.com/procession-go/procession/internal/testkit"
)

func TestProgramsForTerminals(t *testing.T) {
	t.Run("python3", func(t *testing.T) {
		testkit.Needs(t, "python3")
		s := clitest.Show(t, clitest.Command(t, "run", "-t", "--", "python3", "-q"))
		s.Expect(">>> ")
		s.Key("import os, time; os.get_terminal_size()\r")
		s.Expect(fmt.Sprintf("columns=%d, lines=%d", clitest.Cols, clitest.Rows))
		s.Expect(">>> ")
		s.Key("print('now', 1 + 1); [time.sleep(0.05) for _ in iter(int, 1)]\r")
		s.Expect("now 2")
		s.Key("\x03")
		s.Expect("KeyboardInterrupt")
		s.Expect(">>> ")
		s.Key("exit(5)\r")
		s.Ends(5)
	})
	t.Run("vi", func(t *testing.T) {
		testkit.Needs(t, "vi")
		file := t.TempDir() + "/file"
		cmd := clitest.Command(t, "run", "-t", "--", "vi", file)
		cmd.Env = append(cmd.Env, "TERM=xterm")
		s := clitest.Show(t, cmd)
		s.Expect("~")
		s.Key("iwritten\x1b")
		s.Expect("written")
		s.Key(":wq\r")
		s.Ends(0)
		text, err := os.ReadFile(file)
		require.NoError(t, err)
		assert.Equal(t, "written\n", string(text))
	})
	t.Run("top", func(t *testing.T) {
		testkit.Needs(t, "top")
		cmd := clitest.Command(t, "run", "-t", "--", "top")
		cmd.Env = append(cmd.Env, "TERM=xterm")
		s := clitest.Show(t, cmd)
		s.Expect("PID")
		s.Key("q")
		s.Ends(0)
	})
}
