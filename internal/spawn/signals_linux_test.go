//go:build amd64 || arm64

package spawn

import (
	"bytes"
	"fmt"
	"os"
	"os/signal"
	"runtime/pprof"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"github.com/procession-go/procession/internal/testkit"
)

// Signals that come to this program while others start.

// startWhile starts programs from several goroutines while something goes on, which is
// to end when stop is closed.
func startWhile(t *testing.T, f *Forker, goesOn func(stop chan struct{})) {
	t.Helper()
	echo := testkit.Program(t, "echo")
	stop := make(chan struct{})
	var other, starting sync.WaitGroup
	other.Go(func() { goesOn(stop) })
	for i := range 4 {
		starting.Go(func() {
			for j := range 50 {
				name := fmt.Sprint(i, j)
				text, err := outcome(f, command(echo, name))
				if assert.NoError(t, err) {
					assert.Equal(t, name+"\n", text)
				}
				_, err = begin(f, &Program{Cmd: command("/no/such/program"), Files: quiet()})
				assert.ErrorIs(t, err, unix.ENOENT)
			}
		})
	}
	starting.Wait()
	close(stop)
	other.Wait()
}

func TestAStormOfSignalsHarmsNoStart(t *testing.T) {
	received := make(chan os.Signal, 1)
	signal.Notify(received, unix.SIGUSR1, unix.SIGCHLD, unix.SIGURG)
	defer signal.Stop(received)
	bothWays(t, func(t *testing.T, f *Forker) {
		startWhile(t, f, func(stop chan struct{}) {
			for n := 0; ; n++ {
				select {
				case <-stop:
					return
				case <-received:
				default:
				}
				unix.Kill(os.Getpid(), []unix.Signal{unix.SIGURG, unix.SIGUSR1, unix.SIGCHLD}[n%3])
				if n%100 == 0 {
					time.Sleep(50 * time.Microsecond) // the others are to get on, too
				}
			}
		})
	})
}

// TestNoSignalIsLost sends one signal after another, each when the one before has come.
func TestNoSignalIsLost(t *testing.T) {
	received := make(chan os.Signal, 1)
	signal.Notify(received, unix.SIGUSR2)
	defer signal.Stop(received)
	bothWays(t, func(t *testing.T, f *Forker) {
		startWhile(t, f, func(stop chan struct{}) {
			for n := 0; ; n++ {
				assert.NoError(t, unix.Kill(os.Getpid(), unix.SIGUSR2))
				select {
				case <-received:
				case <-time.After(patience):
					assert.Fail(t, "a signal was lost", "after %d", n)
					return
				}
				select {
				case <-stop:
					return
				default:
				}
			}
		})
	})
}

func TestTheEndOfEachChildIsSignalled(t *testing.T) {
	received := make(chan os.Signal, 1)
	bothWays(t, func(t *testing.T, f *Forker) {
		for range 50 {
			signal.Notify(received, unix.SIGCHLD)
			pid := born(t, f, &Program{Cmd: command(testkit.Program(t, "true")), Files: quiet()})
			select {
			case <-received:
			case <-time.After(patience):
				require.Fail(t, "no SIGCHLD has come")
			}
			ended(t, pid)
			signal.Stop(received)
			select {
			case <-received:
			default:
			}
		}
	})
}

func TestProfilingHarmsNoStart(t *testing.T) {
	bothWays(t, func(t *testing.T, f *Forker) {
		var profile bytes.Buffer
		if err := pprof.StartCPUProfile(&profile); err != nil {
			t.Skip(err)
		}
		startWhile(t, f, func(stop chan struct{}) {
			for n := 0; ; n++ { // it needs the processor, so that SIGPROF comes
				select {
				case <-stop:
					return
				default:
					n *= 3
				}
			}
		})
		pprof.StopCPUProfile()
		assert.NotZero(t, profile.Len())
	})
}

// TestWhoIgnoresSIGCHLDCanStart has children that need not be reaped.
func TestWhoIgnoresSIGCHLDCanStart(t *testing.T) {
	if !(alone{}).run(t) {
		return
	}
	signal.Ignore(unix.SIGCHLD)
	defer signal.Reset(unix.SIGCHLD)
	bothWays(t, func(t *testing.T, f *Forker) {
		for range 20 {
			r, w := newPipe(t)
			born(t, f, &Program{Cmd: command(testkit.Program(t, "echo"), "it runs"), Files: [3]int{null(), w, 2}})
			unix.Close(w)
			text, err := readAll(r)
			require.NoError(t, err)
			assert.Equal(t, "it runs\n", text)
			_, err = begin(f, &Program{Cmd: command("/no/such/program"), Files: quiet()})
			assert.ErrorIs(t, err, unix.ENOENT)
		}
		require.Eventually(t, func() bool {
			_, err := unix.Wait4(-1, nil, unix.WNOHANG, nil)
			return err == unix.ECHILD
		}, patience, tick)
	})
}
