package poolfile

// Progress decides what must be done while a pool runs. It is told what happens,
// and Next returns what is due; it does nothing itself. Processes are identified by
// their index in Pool.Processes.
//
//	waiting ── all its conditions hold ──────▶ starting
//	waiting ── one cannot hold any more ─────▶ skipped
//	waiting ── the pool is being stopped ────▶ skipped
//	starting ─ Started ──────────────────────▶ running
//	starting ─ StartFailed ──────────────────▶ gone
//	running ── Ended ────────────────────────▶ ended
//	ended ──── Gone ─────────────────────────▶ gone
//
// When a process has ended for good, the rest is stopped. There are two exceptions:
// keepGoing, and a process that has succeeded and on whose success another one
// depends.
type Progress struct {
	pool       *Pool
	keepGoing  bool
	order      []int
	index      map[string]int
	dependents [][]int // of each process, directly
	processes  []progress
	stopping   bool
}

type progress struct {
	stage     stage
	hasRun    bool
	ready     bool
	succeeded bool
	stopAsked bool // Due.Stop has named it
	calledOff bool // skipped because the pool is being stopped
	awaited   bool // another depends on its success
}

type stage uint8

const (
	waiting stage = iota
	starting
	running
	ended // its leader has; what that left behind may be being ended
	gone
	skipped
)

// Due is what must be done now. It counts as begun once Next has returned it.
type Due struct {
	// Start are the processes to start. Started or StartFailed must follow for
	// each.
	Start []int
	// Skip are the processes that will not be started, because one of their
	// dependencies can no longer hold.
	Skip []Skip
	// Stop are the processes to stop: those whose dependents are gone. Ended and
	// Gone follow for each, as for every end.
	Stop []int
}

// Skip says why a process will not be started.
type Skip struct {
	Process int
	Because Dependency
}

// NewProgress returns the Progress of a pool of which nothing has been started.
// keepGoing means not to stop the rest when a process has ended.
func NewProgress(pool *Pool, keepGoing bool) *Progress {
	p := &Progress{
		pool: pool, keepGoing: keepGoing, order: pool.StartOrder(), index: pool.index(),
		dependents: make([][]int, len(pool.Processes)), processes: make([]progress, len(pool.Processes)),
	}
	for i := range pool.Processes {
		for _, d := range pool.Processes[i].DependsOn {
			on := p.index[d.Name]
			p.dependents[on] = append(p.dependents[on], i)
			if d.Condition == ExitedSuccessfully {
				p.processes[on].awaited = true
			}
		}
	}
	return p
}

// Started records that a process runs.
func (p *Progress) Started(i int) { p.processes[i].stage, p.processes[i].hasRun = running, true }

// StartFailed records that a process could not be started.
func (p *Progress) StartFailed(i int) {
	p.processes[i].stage = gone
	p.endedForGood(i)
}

// Ready records that a process has become ready.
func (p *Progress) Ready(i int) { p.processes[i].ready = true }

// Ended records that a process has ended for good, and whether it has succeeded.
func (p *Progress) Ended(i int, success bool) {
	p.processes[i].stage = ended
	p.processes[i].succeeded = success && !p.processes[i].stopAsked
	p.endedForGood(i)
}

func (p *Progress) endedForGood(i int) {
	if one := p.processes[i]; !p.keepGoing && !(one.succeeded && one.awaited) {
		p.stopping = true
	}
}

// Gone records that nothing is left of a process that has ended.
func (p *Progress) Gone(i int) { p.processes[i].stage = gone }

// Stop stops the pool.
func (p *Progress) Stop() { p.stopping = true }

// Stopping reports whether the pool is being stopped.
func (p *Progress) Stopping() bool { return p.stopping }

// StopAsked reports whether Next has said to stop the process.
func (p *Progress) StopAsked(i int) bool { return p.processes[i].stopAsked }

// Left returns how many processes run or may still be started.
func (p *Progress) Left() int {
	n := 0
	for i := range p.processes {
		if s := p.processes[i].stage; s != gone && s != skipped {
			n++
		}
	}
	return n
}

// Running returns how many processes run or are being started.
func (p *Progress) Running() int {
	n := 0
	for i := range p.processes {
		if s := p.processes[i].stage; s == starting || s == running {
			n++
		}
	}
	return n
}

// Next returns what must be done now.
func (p *Progress) Next() Due {
	var due Due
	for _, i := range p.order {
		if p.processes[i].stage == waiting {
			p.consider(i, &due)
		}
	}
	if p.stopping {
		for j := len(p.order) - 1; j >= 0; j-- {
			i := p.order[j]
			one := &p.processes[i]
			if one.stage == running && !one.stopAsked && !p.needed(i, map[int]bool{}) {
				one.stopAsked = true
				due.Stop = append(due.Stop, i)
			}
		}
	}
	return due
}

// consider decides about a process that waits.
func (p *Progress) consider(i int, due *Due) {
	one := &p.processes[i]
	holds := true
	for _, d := range p.pool.Processes[i].DependsOn {
		switch on := &p.processes[p.index[d.Name]]; {
		case on.meets(d.Condition):
		case on.stage >= ended && !on.stopAsked && !on.calledOff:
			one.stage = skipped
			due.Skip = append(due.Skip, Skip{i, d})
			return
		default:
			holds = false
		}
	}
	switch {
	case p.stopping:
		one.stage, one.calledOff = skipped, true
	case holds:
		one.stage = starting
		due.Start = append(due.Start, i)
	}
}

func (p *progress) meets(c Condition) bool {
	switch c {
	case Ready:
		return p.ready
	case ExitedSuccessfully:
		return p.succeeded
	}
	return p.hasRun
}

// needed reports whether something of a process is left that depends on i, also
// by way of others.
func (p *Progress) needed(i int, seen map[int]bool) bool {
	for _, on := range p.dependents[i] {
		if seen[on] {
			continue
		}
		seen[on] = true
		if s := p.processes[on].stage; s == starting || s == running || s == ended {
			return true
		}
		if p.needed(on, seen) {
			return true
		}
	}
	return false
}
