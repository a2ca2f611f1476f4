//go:build unix

package terminal

import (
	"bufio"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"strings"
	"syscall"

	"github.com/moby/sys/reexec"
	"golang.org/x/term"

	"github.com/procession-go/procession/internal/osproc"
)

// keeperName is the argv[0] of a keeper: this program, executed again, to put a
// terminal back into its modes if this program dies before it can. A panic in
// some goroutine and SIGKILL leave it no other way.
const keeperName = "procession-terminal-keeper"

func init() { reexec.Register(keeperName, keep) }

// keep is the keeper. It says on stdout when it knows the mode of the input, its
// file 3, and listens on stdin until it is dismissed, or until the end. Its file 4
// is the screen.
func keep() {
	signal.Ignore(syscall.SIGINT, syscall.SIGTERM, syscall.SIGHUP, syscall.SIGQUIT, syscall.SIGTSTP,
		syscall.SIGTTOU, syscall.SIGPIPE)
	const input, screen = 3, 4
	before, err := term.GetState(input)
	os.Stdout.WriteString(ready)
	os.Stdout.Close()
	resets, dismissed := lastTold(os.Stdin)
	if dismissed {
		return
	}
	if err == nil {
		term.Restore(input, before)
	}
	if resets != "" {
		os.NewFile(screen, "screen").WriteString(resets)
	}
}

// What a keeper is told are lines: what is to be written to the screen if this
// program dies now, instead of what it was told before; or that it is not needed
// any more.
const dismissal = "."

// lastTold is what a keeper was told last. A line that has no end was not told.
func lastTold(told io.Reader) (resets string, dismissed bool) {
	lines := bufio.NewReader(told)
	for {
		line, err := lines.ReadString('\n')
		if err != nil {
			return resets, false
		}
		if resets = strings.TrimSuffix(line, "\n"); resets == dismissal {
			return "", true
		}
	}
}

const ready = "."

// keeper is this program's side.
type keeper struct {
	cmd    *exec.Cmd
	life   io.WriteCloser
	resets string // as it was told last
}

// startKeeper returns when the keeper knows the mode of the input.
func startKeeper(input, screen *os.File) (*keeper, error) {
	cmd := reexec.Command(keeperName)
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} // it is to outlive this program, and its group
	cmd.Stdin, cmd.Stdout, cmd.Stderr = nil, nil, nil
	cmd.ExtraFiles = []*os.File{input, screen}
	cmd.Dir = "/"
	life, err := cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	osproc.Spare(cmd.Process.Pid)
	io.ReadAll(out)
	return &keeper{cmd: cmd, life: life}, nil
}

// tell says what is to be written to the screen if this program dies now.
func (k *keeper) tell(resets string) {
	if resets != k.resets {
		k.resets = resets
		io.WriteString(k.life, resets+"\n")
	}
}

// dismiss ends the keeper, and leaves the terminal to this program.
func (k *keeper) dismiss() {
	io.WriteString(k.life, dismissal+"\n")
	k.life.Close()
	k.cmd.Wait()
}
