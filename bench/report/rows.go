package main

// row is one line of a table: a figure of a benchmark, and what it must be.
type row struct {
	work  string // what is done; %s is the number for "*"
	bench string // the benchmark; of those that match "*", the one with the largest number there
	unit  string // of the result
	costs string // unit of what it costs the engine, and with plain- before it the baseline; "" is as unit
	goal  goal
}

// The rows of the table of goals. A goal is the one that the benchmark prints,
// if it prints one for this unit.
var goals = []row{
	{"start to release of true, one at a time", "Start/atonce=1", "ratio", "ns/start", atLeast(0.97)},
	{"start to release, 8 at a time", "Start/atonce=8", "ratio", "ns/start", atLeast(0.95)},
	{"start to release, 64 at a time", "Start/atonce=64", "ratio", "ns/start", atLeast(0.95)},
	{"own CPU time of a start, one at a time", "StartCPU/atonce=1", "cost-ratio", "cpu-ns/start", atMost(1.3)},
	{"own CPU time of a start, 8 at a time", "StartCPU/atonce=8", "cost-ratio", "cpu-ns/start", atMost(1.25)},
	{"a flood (head -c), 1 MiB retained", "Zero/atonce=1", "ratio", "ns/byte", atLeast(1)},
	{"8 floods at once, total", "Zero/atonce=8", "ratio", "ns/byte", atLeast(0.95)},
	{"yes: short lines", "Yes", "ratio", "ns/byte", atLeast(0.9)},
	{"20 bytes at a time, unbuffered", "ShortWrites", "ratio", "ns/write", atLeast(0.95)},
	{"memory of an idle process, %s alive", "IdleMemory/alive=*", "B/process", "", atMost(8 << 10)},
	{"threads, %s processes idle", "IdleThreads/alive=*", "threads", "", atMost(24)},
	{"start rate kept, %s processes alive", "StartWhileMany/alive=*", "kept", "", atLeast(0.95)},
	{"start rate kept, %s descriptors open", "StartWithDescriptors/open=*", "ratio", "ns/start", atLeast(0.95)},
	{"descriptors of a live process, %s alive", "IdleDescriptors/alive=*", "fds/process", "", atMost(3)},
	{"Info while two others flood: p50", "InfoWhileFlooded/pace=1ms", "p50-ns", "", atMost(50e3)},
	{"Info while two others flood: p99", "InfoWhileFlooded/pace=1ms", "p99-ns", "", atMost(2e6)},
	{"Info, one caller", "Info/callers=1", "ns/request", "", atMost(1500)},
	{"Info, 64 callers", "Info/callers=64", "ns/request", "", atMost(900)},
	{"Read of 4 KiB", "Read", "ns/read", "", atMost(2000)},
	{"a snapshot of 1 MiB", "Snapshot", "ns/snapshot", "", atMost(5e3)},
	{"List, %s processes", "List/alive=*", "ns/list", "", atMost(20e6)},
	{"shutdown of %s that cooperate", "Shutdown/alive=*", "cost-ratio", "ns/shutdown", atMost(0.3)},
	{"exit to Wait answering, beyond plain", "ExitToWait", "later-ns", "p50-ns", atMost(100e3)},
	{"exit to a subscriber, beyond a bare wait", "ExitToEvent", "later-ns", "", atMost(50e3)},
	{"allocations, start to release", "StartAllocations", "allocs/start", "", atMost(104)},
	{"allocations, Read of 4 KiB", "Read", "allocs/read", "", atMost(6.1)},
}

// The rows of what is measured besides. "At the least" is what the job takes that
// is done by hand: with a fork from a locked thread and three requests to an actor,
// or with a loop that keeps the last MiB.
var others = []row{
	{"start to release of true, one at a time, at the least", "Start/atonce=1", "limit-ratio", "limit-ns/start", goal{}},
	{"start to release, 8 at a time, at the least", "Start/atonce=8", "limit-ratio", "limit-ns/start", goal{}},
	{"start to release, 64 at a time, at the least", "Start/atonce=64", "limit-ratio", "limit-ns/start", goal{}},
	{"own CPU time of a start, one at a time, at the least", "StartCPU/atonce=1", "limit-cost-ratio", "limit-cpu-ns/start", goal{}},
	{"own CPU time of a start, 8 at a time, at the least", "StartCPU/atonce=8", "limit-cost-ratio", "limit-cpu-ns/start", goal{}},
	{"a flood (head -c), at the least", "Zero/atonce=1", "limit-ratio", "limit-ns/byte", goal{}},
	{"8 floods at once, at the least", "Zero/atonce=8", "limit-ratio", "limit-ns/byte", goal{}},
	{"yes: short lines, at the least", "Yes", "limit-ratio", "limit-ns/byte", goal{}},
	{"lines, all retained", "Lines", "ratio", "ns/byte", atLeast(0.95)},
	{"memory after 512 MiB of output, beyond that after 64 MiB", "Growth", "growth-B", "after-all-B", atMost(64 << 10)},
	{"Info while two others flood, one after the other: p50", "InfoWhileFlooded/pace=0s", "p50-ns", "", atMost(50e3)},
	{"Info while two others flood, one after the other: p99", "InfoWhileFlooded/pace=0s", "p99-ns", "", atMost(2e6)},
	{"Info, one caller, relative to a bare request", "Info/callers=1", "ratio", "ns/request", goal{}},
	{"Info, 64 callers, relative to a bare request", "Info/callers=64", "ratio", "ns/request", goal{}},
	{"bytes allocated, start to release", "StartAllocations", "B/start", "", goal{}},
	{"bytes allocated, Read of 4 KiB", "Read", "B/read", "", goal{}},
	{"Read of 4 KiB, relative to a bare request", "Read", "ratio", "ns/read", goal{}},
	{"a line through cat and back, one cat", "RoundTrip", "cost-ratio", "ns/trip", goal{}},
	{"10 KiB lines through many cats, step by step", "Cats/cats=*/step", "ratio", "ns/line", goal{}},
	{"10 KiB lines through many cats, streamed", "Cats/cats=*/stream", "ratio", "ns/line", goal{}},
	{"Kill of one process", "Kill/tree=1", "cost-ratio", "ns/kill", goal{}},
	{"Kill of a tree of 10", "Kill/tree=10", "cost-ratio", "ns/kill", goal{}},
	{"Kill of a tree of 100", "Kill/tree=100", "cost-ratio", "ns/kill", goal{}},
	{"Kill of a tree of 10, %s unrelated processes, older", "Sweep/unrelated=*/kill=younger", "cost-ratio", "ns/kill", goal{}},
	{"Kill of one process, %s unrelated ones, younger", "Sweep/unrelated=*/kill=older", "cost-ratio", "ns/kill", goal{}},
	{"start to release, 8 at a time, %s unrelated processes", "Sweep/unrelated=*/start", "ratio", "ns/start", goal{}},
}

// goal is what a result must reach, or must not exceed; the zero value is none.
type goal struct {
	value float64
	most  bool
}

func atLeast(value float64) goal { return goal{value, false} }
func atMost(value float64) goal  { return goal{value, true} }

func (g goal) isMet(result float64) bool {
	return g == goal{} || result == g.value || g.most == (result < g.value)
}

// missed is by which part of the goal the result misses it.
func (g goal) missed(result float64) float64 {
	if g.isMet(result) {
		return 0
	}
	return max(result-g.value, g.value-result) / g.value
}

// relative is how many times better than the goal the result is, below 1 if it
// is worse; at most most.
func (g goal) relative(result, most float64) float64 {
	switch {
	case !g.most:
		return min(result/g.value, most)
	case result*most <= g.value: // nothing, or less
		return most
	}
	return g.value / result
}
