//go:build linux

package bench

import (
	"bytes"
	"os/exec"
	"strconv"
	"testing"
	"time"

	"github.com/procession-go/procession"
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
		check(b, err)
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
			check(b, err)
			out, err := e.Output(background, id)
			check(b, err)
			check(b, e.Release(background, id))
			return since(string(bytes.TrimSpace([]byte(out.Stdout()))), now)
		})},
		side{"plain", sample(&plain, func() float64 {
			var stdout, stderr bytes.Buffer
			cmd := exec.Command(date.Command, date.Args...)
			cmd.Stdout, cmd.Stderr = &stdout, &stderr
			check(b, cmd.Start())
			err := cmd.Wait()
			now := time.Now()
			check(b, err)
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
