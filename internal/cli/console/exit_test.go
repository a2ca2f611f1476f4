//go:build unix

package console

import (
	"errors"
	"fmt"
	"io/fs"
	"os/exec"
	"syscall"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/procession-go/procession"
	"github.com/procession-go/procession/messages"
)

func TestCodeOf(t *testing.T) {
	for _, test := range []struct {
		exit procession.Exit
		want int
	}{
		{procession.Exit{}, 0},
		{procession.Exit{Code: 255}, 255},
		{procession.Exit{Code: -1, Signal: "SIGKILL"}, 137},
		{procession.Exit{Code: -1, Signal: "SIGTERM"}, 143},
		{procession.Exit{Code: -1, Signal: "signal 34"}, 162},
		{procession.Exit{Code: -1, Cause: procession.CauseStartFailed}, 125},
		{procession.Exit{Cause: procession.CauseTimeout}, 124},
		{procession.Exit{Code: 7, Cause: procession.CauseTimeout}, 7},
		{procession.Exit{Code: -1, Signal: "SIGTERM", Cause: procession.CauseTimeout}, 143},
		{procession.Exit{Cause: procession.CauseKilled}, 0},
	} {
		assert.Equal(t, test.want, CodeOf(test.exit), "%+v", test.exit)
	}
}

func TestStartCode(t *testing.T) {
	for errno, want := range map[syscall.Errno]int{
		syscall.ENOENT: 127,
		syscall.EACCES: 126, syscall.EPERM: 126, syscall.ENOTDIR: 126, syscall.ELOOP: 126, syscall.ENAMETOOLONG: 126, syscall.ETXTBSY: 126,
		syscall.E2BIG: 126, syscall.ENOEXEC: 126, syscall.EISDIR: 126, syscall.EINVAL: 126, syscall.EIO: 126,
		syscall.EAGAIN: 125, syscall.ENOMEM: 125, syscall.EMFILE: 125, syscall.ENFILE: 125, syscall.ENOSPC: 125,
	} {
		assert.Equal(t, want, StartCode(&messages.Error{Code: messages.CodeStart, Errno: errno}), "%v", errno)
		assert.Equal(t, want, StartCode(fmt.Errorf("more: %w", &fs.PathError{Err: errno})), "%v", errno)
	}
	assert.Equal(t, 127, StartCode(&exec.Error{Name: "x", Err: exec.ErrNotFound}))
	assert.Equal(t, 127, StartCode(&messages.Error{Code: messages.CodeNoCommand}))
	assert.Equal(t, 126, StartCode(&messages.Error{Code: messages.CodeDot}))
	assert.Equal(t, 125, StartCode(&messages.Error{Code: messages.CodeStart}))
	assert.Equal(t, 125, StartCode(errors.New("another")))
}
