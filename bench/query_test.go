//go:build linux

package bench

import (
	"fmt"
	"log/slog"
	"os/exec"
	"testing"
	"time"
	"unsafe"

	"github.com/asynkron/protoactor-go/actor"
	"github.com/stretchr/testify/require"

	"github.com/procession-go/procession"
	"github.com/procession-go/procession/messages"
)

// forwarded is a bare actor system in which a request goes through one actor to
// another, which answers at once: the least that a request to the engine costs.
type forwarded struct {
	system *actor.ActorSystem
	router *actor.PID
}

func newForwarded(b *testing.B) *forwarded {
	system := actor.NewActorSystem(actor.WithLoggerFactory(func(*actor.ActorSystem) *slog.Logger {
		return slog.New(slog.DiscardHandler)
	}))
	info := &messages.Info{}
	leaf := system.Root.Spawn(actor.PropsFromFunc(func(ctx actor.Context) {
		if _, ok := ctx.Message().(*messages.GetInfo); ok {
			ctx.Respond(info)
		}
	}))
	routes := map[string]*actor.PID{"leaf": leaf}
	router := system.Root.Spawn(actor.PropsFromFunc(func(ctx actor.Context) {
		if m, ok := ctx.Message().(*messages.GetInfo); ok {
			ctx.Forward(routes[m.ID])
		}
	}))
	b.Cleanup(system.Shutdown)
	return &forwarded{system, router}
}

func (f *forwarded) request() error {
	_, err := f.system.Root.RequestFuture(f.router, &messages.GetInfo{ID: "leaf"}, 10*time.Second).Result()
	return err
}

// BenchmarkInfo: Info of an idle process, against a bare request through one
// forward. Goal is for ns/request.
func BenchmarkInfo(b *testing.B) {
	for _, callers := range []int{1, 64} {
		b.Run(fmt.Sprintf("callers=%d", callers), func(b *testing.B) {
			e := newEngine(b)
			id := idle(b, e)
			f := newForwarded(b)
			const total = 40_000
			compare(b, 21,
				side{"engine", func() float64 {
					return atOnce(b, callers, total, func() error { _, err := e.Info(background, id); return err })
				}},
				side{"plain", func() float64 { return atOnce(b, callers, total, f.request) }},
			).speed(0, "ns/request")
			b.ReportMetric(map[int]float64{1: 1500, 64: 900}[callers], "goal")
		})
	}
}

// idle starts a process that does nothing.
func idle(b *testing.B, e *procession.Engine) (id string) {
	id, err := e.Start(background, procession.Spec{Command: "sleep", Args: []string{sleepTime}})
	require.NoError(b, err)
	return id
}

// BenchmarkInfoWhileFlooded: how long Info on an idle process takes while two
// others flood. The baseline is a bare request through one forward while two
// bare loops read the same floods. Goal is for p50-ns; that of p99-ns is 2 ms.
func BenchmarkInfoWhileFlooded(b *testing.B) {
	for _, pace := range []time.Duration{0, time.Millisecond} {
		b.Run(fmt.Sprintf("pace=%v", pace), func(b *testing.B) {
			e := newEngine(b)
			id := idle(b, e)
			f := newForwarded(b)
			var engine, plain []float64
			compare(b, 5,
				side{"engine", func() float64 {
					var floods []string
					for range 2 {
						flood, err := e.Start(background, procession.Spec{Command: "cat", Args: []string{"/dev/zero"}})
						require.NoError(b, err)
						floods = append(floods, flood)
					}
					took := latencies(b, pace, func() error { _, err := e.Info(background, id); return err })
					for _, flood := range floods {
						require.NoError(b, e.Release(background, flood))
					}
					engine = append(engine, took...)
					return median(took)
				}},
				side{"plain", func() float64 {
					var floods []*exec.Cmd
					for range 2 {
						cmd := exec.Command("cat", "/dev/zero")
						r, err := bareStart(cmd)
						require.NoError(b, err)
						go func() { defer r.Close(); bareLoop(r, nil) }()
						floods = append(floods, cmd)
					}
					took := latencies(b, pace, f.request)
					for _, cmd := range floods {
						cmd.Process.Kill()
						cmd.Wait()
					}
					plain = append(plain, took...)
					return median(took)
				}},
			)
			b.ReportMetric(median(engine), "p50-ns")
			b.ReportMetric(quantile(engine, 0.99), "p99-ns")
			b.ReportMetric(median(plain), "plain-p50-ns")
			b.ReportMetric(quantile(plain, 0.99), "plain-p99-ns")
			b.ReportMetric(50_000, "goal")
		})
	}
}

// latencies is how long each of many calls takes, with pace between them.
func latencies(b *testing.B, pace time.Duration, call func() error) []float64 {
	time.Sleep(20 * time.Millisecond)
	var took []float64
	for end := time.Now().Add(400 * time.Millisecond); time.Now().Before(end); time.Sleep(pace) {
		begin := time.Now()
		check(b, call())
		took = append(took, float64(time.Since(begin)))
	}
	return took
}

// BenchmarkSnapshot: Output of a process that has 1 MiB retained, against Info
// of the same process, which is the cost of asking. Goal is for ns/snapshot. The
// test fails if bytes are copied.
func BenchmarkSnapshot(b *testing.B) {
	e := newEngine(b)
	id := printed(b, e)
	const total = 5000
	c := compare(b, 11,
		side{"engine", func() float64 {
			return atOnce(b, 1, total, func() error { _, err := e.Output(background, id); return err })
		}},
		side{"info", func() float64 {
			return atOnce(b, 1, total, func() error { _, err := e.Info(background, id); return err })
		}},
	)
	c.cost(5000, "ns/snapshot")
	first, err := e.Output(background, id)
	require.NoError(b, err)
	again, err := e.Output(background, id)
	require.NoError(b, err)
	for i, s := range first.Segments {
		require.Same(b, unsafe.SliceData(s.Data), unsafe.SliceData(again.Segments[i].Data), "a snapshot copies bytes")
	}
	count, bytes := allocations(total, func() {
		for range total {
			e.Output(background, id)
		}
	})
	b.ReportMetric(float64(len(first.Segments)), "segments")
	b.ReportMetric(count, "allocs/snapshot")
	b.ReportMetric(bytes, "B/snapshot")
}

// printed is a process that has exited and has 1 MiB of output retained.
func printed(b *testing.B, e *procession.Engine) (id string) {
	id, err := e.Start(background, procession.Spec{
		Command: "head", Args: []string{"-c", "8M", "/dev/zero"}, OutputLimit: oneMiB,
	})
	require.NoError(b, err)
	_, err = e.Wait(background, id)
	require.NoError(b, err)
	return id
}

// BenchmarkRead: Read of 4 KiB that are there, against a bare request through
// one forward; and what it allocates. Goal is for ns/read.
func BenchmarkRead(b *testing.B) {
	e := newEngine(b)
	id := printed(b, e)
	f := newForwarded(b)
	const total = 5000
	o := procession.ReadOptions{Cursor: 7<<20 + 12345, MaxBytes: 4 << 10}
	read := func() error { _, err := e.Read(background, id, o); return err }
	compare(b, 11,
		side{"engine", func() float64 { return atOnce(b, 1, total, read) }},
		side{"plain", func() float64 { return atOnce(b, 1, total, f.request) }},
	).speed(0, "ns/read")
	b.ReportMetric(2000, "goal")
	report := func(prefix string, f func() error) {
		count, bytes := allocations(total, func() { atOnce(b, 1, total, f) })
		b.ReportMetric(count, prefix+"allocs/read")
		b.ReportMetric(bytes, prefix+"B/read")
	}
	report("", read)
	report("plain-", f.request)
}
