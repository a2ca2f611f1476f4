//go:build linux

package bench

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/sync/errgroup"

	"github.com/procession-go/procession"
)

// many is what a helper measures that has many idle processes. Each side is a
// program of its own, because threads and descriptor tables never shrink.
type many struct {
	Memory      float64 // per process, in bytes
	Descriptors float64 // per process
	Threads     float64 // in all
	RateNone    float64 // starts per second while no other process lives
	RateMany    float64 // and while all live
	List        float64 // of all, in nanoseconds
	Shutdown    float64 // of all, in nanoseconds
}

// crowd is the two sides of it.
type crowd interface {
	start() error    // one idle process
	run() error      // one start → exit → release
	list() error     // describes all
	shutdown() error // ends all
}

func measureMany(n int, c crowd) error {
	var m many
	var err error
	if m.RateNone, err = startRate(c); err != nil {
		return err
	}
	before, open := memory(), descriptors()
	if err := limited(32, n, c.start); err != nil {
		return errors.Join(err, c.shutdown())
	}
	time.Sleep(200 * time.Millisecond)
	m.Memory = float64(memory()-before) / float64(n)
	m.Descriptors = float64(descriptors()-open) / float64(n)
	m.Threads = float64(threads())
	if m.RateMany, err = startRate(c); err != nil {
		return errors.Join(err, c.shutdown())
	}
	var lists []float64
	for range 7 {
		lists = append(lists, nanoseconds(func() { err = errors.Join(err, c.list()) }))
	}
	m.List = median(lists)
	m.Shutdown = nanoseconds(func() { err = errors.Join(err, c.shutdown()) })
	if err != nil {
		return err
	}
	return json.NewEncoder(os.Stdout).Encode(m)
}

func limited(atOnce, total int, f func() error) error {
	var g errgroup.Group
	g.SetLimit(atOnce)
	for range total {
		g.Go(f)
	}
	return g.Wait()
}

// startRate is how many start → exit → release are done in a second, 8 at a
// time.
func startRate(c crowd) (float64, error) {
	const batch = 80
	var rates []float64
	for range 9 {
		var err error
		rates = append(rates, batch*1e9/nanoseconds(func() { err = limited(8, batch, c.run) }))
		if err != nil {
			return 0, err
		}
	}
	return median(rates[1:]), nil
}

// engineCrowd is run by the engine.
type engineCrowd struct{ engine *procession.Engine }

func manyEngine(args []string) error {
	n, err := strconv.Atoi(args[0])
	if err != nil {
		return err
	}
	e, err := procession.New()
	if err != nil {
		return err
	}
	return measureMany(n, engineCrowd{e})
}

func (c engineCrowd) start() error {
	_, err := c.engine.Start(background, procession.Spec{Command: "sleep", Args: []string{sleepTime}})
	return err
}

func (c engineCrowd) run() error { return engineRun(c.engine, trueSpec) }

func (c engineCrowd) list() error { _, err := c.engine.List(background); return err }

func (c engineCrowd) shutdown() error {
	ctx, cancel := context.WithTimeout(background, time.Minute)
	defer cancel()
	_, err := c.engine.Shutdown(ctx)
	return err
}

// plainCrowd is run with os/exec, as one does by hand: two pipes that are copied
// into buffers, and a goroutine that waits.
type plainCrowd struct {
	mu      sync.Mutex
	cmds    []*exec.Cmd
	waiting sync.WaitGroup
}

func manyPlain(args []string) error {
	n, err := strconv.Atoi(args[0])
	if err != nil {
		return err
	}
	return measureMany(n, &plainCrowd{})
}

func (c *plainCrowd) start() error {
	cmd := exec.Command("sleep", sleepTime)
	cmd.Stdout, cmd.Stderr = &bytes.Buffer{}, &bytes.Buffer{}
	if err := cmd.Start(); err != nil {
		return err
	}
	c.waiting.Go(func() { cmd.Wait() })
	c.mu.Lock()
	c.cmds = append(c.cmds, cmd)
	c.mu.Unlock()
	return nil
}

func (c *plainCrowd) run() error { return plainRun(trueProgram) }

func (c *plainCrowd) list() error { return nil }

func (c *plainCrowd) shutdown() error {
	for _, cmd := range c.cmds {
		cmd.Process.Signal(syscall.SIGTERM)
	}
	c.waiting.Wait()
	return nil
}

// manyRounds are the results for so many processes, by side and round.
type manyRounds struct{ engine, plain []many }

var manyResults = map[int]*manyRounds{}

// measured lets the sides take turns, once for all benchmarks.
func measured(b *testing.B, n int) *manyRounds {
	b.Helper()
	if manyResults[n] == nil {
		r := &manyRounds{}
		for range max(1, scale(2)) {
			r.engine = append(r.engine, runMany(b, "many-engine", n))
			r.plain = append(r.plain, runMany(b, "many-plain", n))
		}
		manyResults[n] = r
	}
	for b.Loop() { // all is measured already
	}
	b.ReportMetric(0, "ns/op")
	return manyResults[n]
}

func runMany(b *testing.B, name string, n int) (m many) {
	b.Helper()
	cmd := helperCmd(name, n)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	require.NoError(b, err, "%s %d\n%s", name, n, &stderr)
	require.NoError(b, json.Unmarshal(out, &m), "%s %d", name, n)
	return m
}

// of is the median of a figure of one side.
func of(side []many, figure func(many) float64) float64 {
	var values []float64
	for _, m := range side {
		values = append(values, figure(m))
	}
	return median(values)
}

func (r *manyRounds) report(b *testing.B, unit string, figure func(many) float64) {
	b.ReportMetric(of(r.engine, figure), unit)
	b.ReportMetric(of(r.plain, figure), "plain-"+unit)
}

func eachMany(b *testing.B, f func(b *testing.B, r *manyRounds), counts ...int) {
	for _, n := range counts {
		n = scale(n)
		b.Run(fmt.Sprintf("alive=%d", n), func(b *testing.B) { f(b, measured(b, n)) })
	}
}

// BenchmarkIdleMemory: what an idle process takes of the engine's memory, heap
// and stacks. Goal is for B/process.
func BenchmarkIdleMemory(b *testing.B) {
	eachMany(b, func(b *testing.B, r *manyRounds) {
		r.report(b, "B/process", func(m many) float64 { return m.Memory })
		b.ReportMetric(8<<10, "goal")
	}, 1500, 4000)
}

// BenchmarkIdleThreads: threads of the whole program. Goal is for threads.
func BenchmarkIdleThreads(b *testing.B) {
	eachMany(b, func(b *testing.B, r *manyRounds) {
		r.report(b, "threads", func(m many) float64 { return m.Threads })
		b.ReportMetric(24, "goal")
	}, 1500, 4000)
}

// BenchmarkIdleDescriptors: descriptors that a live process takes. Goal is for
// fds/process.
func BenchmarkIdleDescriptors(b *testing.B) {
	eachMany(b, func(b *testing.B, r *manyRounds) {
		r.report(b, "fds/process", func(m many) float64 { return m.Descriptors })
		b.ReportMetric(3, "goal")
	}, 1500, 4000)
}

// BenchmarkStartWhileMany: the start rate while many live, relative to that
// while none does. Goal is for kept.
func BenchmarkStartWhileMany(b *testing.B) {
	eachMany(b, func(b *testing.B, r *manyRounds) {
		r.report(b, "kept", func(m many) float64 { return m.RateMany / m.RateNone })
		r.report(b, "starts/s", func(m many) float64 { return m.RateMany })
		b.ReportMetric(0.95, "goal")
	}, 4000)
}

// BenchmarkList: List of all. Goal is for ns/list.
func BenchmarkList(b *testing.B) {
	eachMany(b, func(b *testing.B, r *manyRounds) {
		b.ReportMetric(of(r.engine, func(m many) float64 { return m.List }), "ns/list")
		b.ReportMetric(20e6, "goal")
	}, 4000)
}

// BenchmarkShutdown: the end of many processes that end when they are told,
// against signalling all and waiting for all.
func BenchmarkShutdown(b *testing.B) {
	eachMany(b, func(b *testing.B, r *manyRounds) {
		figure := func(m many) float64 { return m.Shutdown }
		r.report(b, "ns/shutdown", figure)
		b.ReportMetric(of(r.engine, figure)/of(r.plain, figure), "cost-ratio")
		b.ReportMetric(0.3, "goal")
	}, 4000)
}
