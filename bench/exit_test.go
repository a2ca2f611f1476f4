//go:build linux

package bench

import (
	"bytes"
	"os/exec"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"github.com/procession-go/procession"
	"github.com/procession-go/procession/messages"
)

// BenchmarkExitToWait: how long after the end of a program Wait answers, against
// plain Cmd.Wait. The program is date, whose output is the moment at which it
// was about to exit. Goal is for later-ns, the difference of the medians.
func BenchmarkExitToWait(b *testing.B) {
	e := newEngine(b)
	date := procession.Spec{Command: "date", Args: []string{"+%s%N"}}
	var engine, plain []float64
	since := func(stamp string, now time.Time) float64 {
		exit, err := strconv.ParseInt(stamp, 10, 64)
		require.NoError(b, err)
		return float64(now.UnixNano() - exit)
	}
	const total = 20
	sample := func(all *[]float64, one func() float64) func() float64 {
		return func() float64 {
			var took []float64
			for range total {
				took = append(took, one())
			}
			*all = append(*all, took...)
			return median(took)
		}
	}
	c := compare(b, 21,
		side{"engine", sample(&engine, func() float64 {
			id, err := e.Start(background, date)
			check(b, err)
			_, err = e.Wait(background, id)
			now := time.Now()
			require.NoError(b, err)
			out, err := e.Output(background, id)
			require.NoError(b, err)
			require.NoError(b, e.Release(background, id))
			return since(string(bytes.TrimSpace([]byte(out.Stdout()))), now)
		})},
		side{"plain", sample(&plain, func() float64 {
			var stdout, stderr bytes.Buffer
			cmd := exec.Command(date.Command, date.Args...)
			cmd.Stdout, cmd.Stderr = &stdout, &stderr
			check(b, cmd.Start())
			err := cmd.Wait()
			now := time.Now()
			require.NoError(b, err)
			return since(string(bytes.TrimSpace(stdout.Bytes())), now)
		})},
	)
	var later []float64
	for round, cost := range c.costs[0] {
		later = append(later, cost-c.costs[1][round])
	}
	b.ReportMetric(median(later), "later-ns")
	b.ReportMetric(100_000, "goal")
	b.ReportMetric(median(engine), "p50-ns")
	b.ReportMetric(quantile(engine, 0.99), "p99-ns")
	b.ReportMetric(median(plain), "plain-p50-ns")
	b.ReportMetric(quantile(plain, 0.99), "plain-p99-ns")
}

// BenchmarkExitToEvent: how long after the end of a program a subscriber of the actor
// system's EventStream hears of it, beyond a thread that does nothing but wait for that
// (poll of a pidfd). Goal is for later-ns, the median of the differences.
func BenchmarkExitToEvent(b *testing.B) {
	e := newEngine(b)
	heard := make(chan time.Time, 1)
	subscription := e.System().EventStream.Subscribe(func(event any) {
		if _, is := event.(*messages.ProcessExited); is {
			heard <- time.Now()
		}
	})
	defer e.System().EventStream.Unsubscribe(subscription)
	var later []float64
	total := scale(400)
	for b.Loop() {
		for range total {
			id, err := e.Start(background, procession.Spec{Command: "cat", Stdin: true})
			require.NoError(b, err)
			info, err := e.Info(background, id)
			require.NoError(b, err)
			pidfd, err := unix.PidfdOpen(info.PID, 0)
			require.NoError(b, err)
			seen := make(chan time.Time, 1)
			waits := make(chan struct{})
			go func() {
				close(waits)
				unix.Poll([]unix.PollFd{{Fd: int32(pidfd), Events: unix.POLLIN}}, -1)
				seen <- time.Now()
			}()
			<-waits
			check(b, e.CloseStdin(background, id))
			later = append(later, float64((<-heard).Sub(<-seen)))
			require.NoError(b, unix.Close(pidfd))
			require.NoError(b, e.Release(background, id))
		}
	}
	b.ReportMetric(0, "ns/op")
	b.ReportMetric(median(later), "later-ns")
	b.ReportMetric(quantile(later, 0.99), "p99-ns")
	b.ReportMetric(50_000, "goal")
}
