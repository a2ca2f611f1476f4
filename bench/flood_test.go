//go:build linux

package bench

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"os/exec"
	"runtime"
	"strconv"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/procession-go/procession"
)

const oneMiB = 1 << 20

// BenchmarkZero: head -c BYTES /dev/zero with a limit of 1 MiB, against a loop
// that reads a pipe 64 KiB at a time and throws all away.
func BenchmarkZero(b *testing.B) {
	for _, n := range []int{1, 8} {
		b.Run(fmt.Sprintf("atonce=%d", n), func(b *testing.B) {
			e := newEngine(b)
			count := strconv.FormatInt(int64(floodSize)/int64(n), 10)
			spec := procession.Spec{Command: "head", Args: []string{"-c", count, "/dev/zero"}, OutputLimit: oneMiB}
			perByte := func(run func() error) func() float64 {
				return func() float64 { return atOnce(b, n, n, run) * float64(n) / float64(floodSize) }
			}
			compare(b, 9,
				side{"engine", perByte(func() error { return engineRun(e, spec) })},
				side{"plain", perByte(func() error {
					_, err := bareRead(exec.Command(spec.Command, spec.Args...))
					return err
				})},
				side{"limit", perByte(func() error {
					_, err := keepingRead(exec.Command(spec.Command, spec.Args...))
					return err
				})},
			).speed(map[int]float64{1: 1, 8: 0.95}[n], "ns/byte")
		})
	}
}

// BenchmarkYes: how much of yes, in short lines, is read in a time.
func BenchmarkYes(b *testing.B) {
	const span = 200 * time.Millisecond
	e := newEngine(b)
	compare(b, 11,
		side{"engine", func() float64 {
			id, err := e.Start(background, procession.Spec{Command: "yes", OutputLimit: oneMiB})
			require.NoError(b, err)
			begin := time.Now()
			time.Sleep(span)
			info, err := e.Info(background, id)
			took := time.Since(begin)
			require.NoError(b, err)
			require.NoError(b, e.Release(background, id))
			return float64(took) / float64(info.OutputBytes)
		}},
		side{"plain", func() float64 { return readFor(b, span, bareLoop) }},
		side{"limit", func() float64 { return readFor(b, span, keepingLoop) }},
	).speed(0.9, "ns/byte")
}

// readFor reads from yes in a loop, for so long, and answers how long a byte took,
// in nanoseconds.
func readFor(b *testing.B, span time.Duration, loop func(io.Reader, *atomic.Int64) (int64, error)) float64 {
	cmd := exec.Command("yes")
	r, err := bareStart(cmd)
	require.NoError(b, err)
	defer r.Close()
	var total atomic.Int64
	done := make(chan struct{})
	begin := time.Now()
	go func() { defer close(done); loop(r, &total) }()
	time.Sleep(span)
	n := total.Load()
	took := time.Since(begin)
	cmd.Process.Kill()
	<-done
	cmd.Wait()
	return float64(took) / float64(n)
}

// shortWrite is what the helper short-writes writes at a time.
const shortWrite = "twenty bytes a time\n"

// shortWrites is a helper: it writes short lines without a buffer, as many as
// its argument says.
func shortWrites(args []string) error {
	n, err := strconv.Atoi(args[0])
	line := []byte(shortWrite)
	for range n {
		if _, err := syscall.Write(1, line); err != nil {
			return err
		}
	}
	return err
}

// BenchmarkShortWrites: a program that writes 20 bytes at a time.
func BenchmarkShortWrites(b *testing.B) {
	const lines = 300_000
	e := newEngine(b)
	spec := procession.Spec{
		Command: os.Args[0], Env: map[string]string{helperVariable: helper("short-writes", lines)}, OutputLimit: oneMiB,
	}
	compare(b, 15,
		side{"engine", func() float64 {
			return nanoseconds(func() { check(b, engineRun(e, spec)) }) / lines
		}},
		side{"plain", func() float64 {
			return nanoseconds(func() {
				_, err := bareRead(helperCmd("short-writes", lines))
				check(b, err)
			}) / lines
		}},
	).speed(0.95, "ns/write")
}

// BenchmarkLines: text in lines, which all sides keep: go-cmd knows no limit.
func BenchmarkLines(b *testing.B) {
	const total = 32 << 20
	line := string(bytes.Repeat([]byte("x"), 79))
	script := fmt.Sprintf("yes %s | head -c %d", line, total)
	e := newEngine(b)
	spec := procession.Shell(script)
	spec.OutputLimit = procession.Unlimited
	perByte := func(run func() error) func() float64 {
		return func() float64 { return nanoseconds(func() { check(b, run()) }) / total }
	}
	compare(b, 7,
		side{"engine", perByte(func() error { return engineRun(e, spec) })},
		side{"plain", perByte(func() error { return plainRun(spec.Command, spec.Args...) })},
		side{"go-cmd", perByte(func() error { return goCmdRun(spec.Command, spec.Args...) })},
	).speed(0.95, "ns/byte")
}

// BenchmarkGrowth: the engine's memory after a process with a limit of 1 MiB has
// printed 64 MiB, and after it has printed 1 GiB (or -bytes). Goal is the growth
// in bytes.
func BenchmarkGrowth(b *testing.B) {
	e := newEngine(b)
	cat := procession.Spec{Command: "cat", Args: []string{"/dev/zero"}, OutputLimit: oneMiB}
	var few, many, growth []float64
	measure := func() {
		runtime.GC()
		before := memory()
		id, err := e.Start(background, cat)
		check(b, err)
		f := float64(memoryAfter(b, e, id, 64<<20) - before)
		m := float64(memoryAfter(b, e, id, int64(floodSize)) - before)
		few, many, growth = append(few, f), append(many, m), append(growth, m-f)
		check(b, e.Release(background, id))
	}
	for b.Loop() {
		for range 5 {
			measure()
		}
	}
	b.ReportMetric(0, "ns/op")
	b.ReportMetric(median(few), "after-64MiB-B")
	b.ReportMetric(median(many), "after-all-B")
	b.ReportMetric(median(growth), "growth-B")
	b.ReportMetric(64<<10, "goal")
}

// memoryAfter is the memory that is in use when a process has printed n bytes.
func memoryAfter(b *testing.B, e *procession.Engine, id string, n int64) int64 {
	for {
		info, err := e.Info(background, id)
		check(b, err)
		if info.OutputBytes >= n {
			check(b, e.Signal(background, id, syscall.SIGSTOP))
			defer func() { check(b, e.Signal(background, id, syscall.SIGCONT)) }()
			time.Sleep(20 * time.Millisecond) // until the pipe is empty
			return memory()
		}
		time.Sleep(time.Millisecond)
	}
}
