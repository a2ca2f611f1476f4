//go:build amd64 || arm64

package spawn

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"github.com/procession-go/procession/internal/testkit"
)

// What becomes of children, and of the thread, when this program comes to its end.

func init() {
	// "hung parent" has a child that has a parent-death signal, or none, and is not born.
	// It prints its process ID, and then does what its argument says.
	helpers["hung parent"] = func() {
		f := New(false)
		if f.Refusal() != nil {
			fmt.Println("refused:", f.Refusal())
			return
		}
		cmd := command("/no/such/program")
		if os.Args[2] != "0" {
			cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
		}
		b := hanging(f, cmd)
		b.Start()
		for b.PID() == 0 || !isBlocked(b.PID(), "0000000000000000") {
		}
		fmt.Println(b.PID())
		switch os.Args[1] {
		case "exit":
			os.Exit(0)
		case "execute":
			syscall.Exec(self, []string{"executed"}, []string{helperVariable + "=report"})
		}
		b.Wait(-1)
	}
}

// hungParent starts the helper. Its child is ended with the test.
func hungParent(t *testing.T, then, signal string) (parent *exec.Cmd, child int, out *bufio.Reader) {
	t.Helper()
	scripts(t)
	parent = exec.Command(self, then, signal)
	parent.Env = []string{helperVariable + "=hung parent"}
	parent.Stderr = os.Stderr
	pipe, err := parent.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, parent.Start())
	t.Cleanup(func() { parent.Process.Kill(); parent.Wait() })
	out = bufio.NewReader(pipe)
	line, err := out.ReadString('\n')
	require.NoError(t, err)
	child, err = strconv.Atoi(strings.TrimSpace(line))
	require.NoError(t, err)
	t.Cleanup(func() { unix.Kill(child, unix.SIGKILL) })
	return parent, child, out
}

func TestAnUnbornChildWithPdeathsigEndsWithThisProgram(t *testing.T) {
	parent, child, _ := hungParent(t, "wait", "9")
	require.True(t, testkit.Alive(child))
	require.NoError(t, parent.Process.Kill())
	require.Eventually(t, func() bool { return !testkit.Alive(child) }, patience, tick)
}

func TestAProgramEndsAlthoughAChildIsUnborn(t *testing.T) {
	parent, child, _ := hungParent(t, "exit", "0")
	assert.NoError(t, parent.Wait())
	assert.True(t, testkit.Alive(child))
}

// TestThisProgramCanExecuteAnother has its threads end, and one of them is not the
// runtime's. What is executed inherits nothing of it.
func TestThisProgramCanExecuteAnother(t *testing.T) {
	parent, child, out := hungParent(t, "execute", "0")
	text, err := io.ReadAll(out)
	require.NoError(t, err)
	require.NoError(t, parent.Wait())
	got := reported(t, string(text))
	got.Args.equal(t, []string{"executed"})
	assert.Equal(t, parent.Process.Pid, got.PID)
	for fd := range got.Descriptors {
		assert.NotContains(t, got.Descriptors[fd], "pidfd")
	}
	assert.True(t, testkit.Alive(child), "it is no business of its")
}
