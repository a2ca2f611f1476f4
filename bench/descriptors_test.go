//go:build linux

package bench

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"
)

// BenchmarkStartWithDescriptors: the start rate while this program has many
// descriptors open, relative to that while it has not. Plain os/exec does the same
// besides.
func BenchmarkStartWithDescriptors(b *testing.B) {
	n := min(scale(20000), room(b))
	b.Run(fmt.Sprintf("open=%d", n), func(b *testing.B) {
		e := newEngine(b)
		const total = 96
		engine := func() float64 { return atOnce(b, 8, total, func() error { return engineRun(e, trueSpec) }) }
		plain := func() float64 { return atOnce(b, 8, total, func() error { return plainRun(trueProgram) }) }
		with := func(cost func() float64) func() float64 {
			return func() float64 {
				fds := make([]int, 0, n)
				defer func() {
					for _, fd := range fds {
						unix.Close(fd)
					}
				}()
				for range n {
					fd, err := unix.FcntlInt(0, unix.F_DUPFD_CLOEXEC, 3)
					check(b, err)
					fds = append(fds, fd)
				}
				return cost()
			}
		}
		c := compare(b, 21, side{"engine", with(engine)}, side{"few", engine}, side{"plain", with(plain)}, side{"plain-few", plain})
		c.speed(0.95, "ns/start")
		kept := make([]float64, len(c.costs[2]))
		for round := range kept {
			kept[round] = c.costs[3][round] / c.costs[2][round]
		}
		b.ReportMetric(median(kept), "plain-kept")
	})
}

// room is how many descriptors this program can open besides what it needs.
func room(b *testing.B) int {
	var limit unix.Rlimit
	require.NoError(b, unix.Getrlimit(unix.RLIMIT_NOFILE, &limit))
	return int(min(limit.Cur, 1<<20)) - 500
}
