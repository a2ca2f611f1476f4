//go:build linux

package bench

import (
	"fmt"
	"testing"

	"github.com/procession-go/procession"
)

const trueProgram = "/bin/true"

var trueSpec = procession.Spec{Command: trueProgram}

// BenchmarkStart: start → exit → release of a program that does nothing, both
// streams captured.
func BenchmarkStart(b *testing.B) {
	for _, n := range []int{1, 8, 64} {
		b.Run(fmt.Sprintf("atonce=%d", n), func(b *testing.B) {
			e, least := newEngine(b), newLocked(b)
			total := max(96, 2*n)
			compare(b, 21,
				side{"engine", func() float64 {
					return atOnce(b, n, total, func() error { return engineRun(e, trueSpec) })
				}},
				side{"plain", func() float64 {
					return atOnce(b, n, total, func() error { return plainRun(trueProgram) })
				}},
				side{"go-cmd", func() float64 {
					return atOnce(b, n, total, func() error { return goCmdRun(trueProgram) })
				}},
				side{"limit", func() float64 {
					return atOnce(b, n, total, func() error { return least.run(trueProgram) })
				}},
			).speed(map[int]float64{1: 0.97, 8: 0.95, 64: 0.95}[n], "ns/start")
		})
	}
}

// BenchmarkStartCPU: the CPU time that this process itself takes for one start →
// exit → release.
func BenchmarkStartCPU(b *testing.B) {
	for _, n := range []int{1, 8} {
		b.Run(fmt.Sprintf("atonce=%d", n), func(b *testing.B) {
			e, least := newEngine(b), newLocked(b)
			const total = 96
			used := func(run func() error) func() float64 {
				return func() float64 {
					before := cpuTime()
					atOnce(b, n, total, run)
					return (cpuTime() - before) / total
				}
			}
			compare(b, 15,
				side{"engine", used(func() error { return engineRun(e, trueSpec) })},
				side{"plain", used(func() error { return plainRun(trueProgram) })},
				side{"go-cmd", used(func() error { return goCmdRun(trueProgram) })},
				side{"limit", used(func() error { return least.run(trueProgram) })},
			).cost(map[int]float64{1: 1.3, 8: 1.25}[n], "cpu-ns/start")
		})
	}
}

// BenchmarkStartAllocations: what one start → exit → release allocates.
func BenchmarkStartAllocations(b *testing.B) {
	e := newEngine(b)
	const total = 100
	var bytes [3][]float64
	counting := func(side int, run func() error) func() float64 {
		return func() float64 {
			count, size := allocations(total, func() { atOnce(b, 1, total, run) })
			bytes[side] = append(bytes[side], size)
			return count
		}
	}
	compare(b, 3,
		side{"engine", counting(0, func() error { return engineRun(e, trueSpec) })},
		side{"plain", counting(1, func() error { return plainRun(trueProgram) })},
		side{"go-cmd", counting(2, func() error { return goCmdRun(trueProgram) })},
	).cost(0, "allocs/start")
	b.ReportMetric(median(bytes[0]), "B/start")
	b.ReportMetric(median(bytes[1]), "plain-B/start")
	b.ReportMetric(median(bytes[2]), "go-cmd-B/start")
}
