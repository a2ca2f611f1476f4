package poolfile

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

// script plays a pool: each step is what happens and what is due then.
//
//	"" → what is due at first; "started web", "failed web", "ready web",
//	"ok web" (ended with 0), "bad web", "gone web", "stop"
type step struct{ happens, due string }

func TestProgress(t *testing.T) {
	const chain = `{processes: {
		migrate: {command: m}, web: {command: w, depends_on: {migrate: exited-successfully}},
		worker: {command: k, depends_on: {web: ready}}}}`
	for _, test := range []struct {
		name, pool string
		keepGoing  bool
		steps      []step
	}{
		{"each when its conditions hold, and stopped in reverse", chain, false, []step{
			{"", "start migrate"},
			{"started migrate", ""},
			{"ready migrate", ""},
			{"ok migrate", "start web"},
			{"gone migrate", ""},
			{"started web", ""},
			{"ready web", "start worker"},
			{"started worker", ""},
			{"stop", "stop worker"},
			{"bad worker", ""},
			{"gone worker", "stop web"},
			{"ok web", ""},
			{"gone web", "over"},
		}},
		{"what depends on what failed is not started", chain, false, []step{
			{"", "start migrate"},
			{"started migrate", ""},
			{"bad migrate", "skip web (migrate exited-successfully), skip worker (web ready)"},
			{"gone migrate", "over"},
		}},
		{"nor on what could not be started", chain, true, []step{
			{"", "start migrate"},
			{"failed migrate", "skip web (migrate exited-successfully), skip worker (web ready), over"},
		}},
		{"nor on what ended before it was ready", chain, true, []step{
			{"", "start migrate"},
			{"started migrate", ""},
			{"ok migrate", "start web"},
			{"gone migrate", ""},
			{"started web", ""},
			{"ok web", "skip worker (web ready)"},
			{"gone web", "over"},
		}},
		{"independent ones at once, and the rest stops when one ends",
			`{processes: {a: {command: a}, b: {command: b}, c: {command: c}}}`, false, []step{
				{"", "start a, start b, start c"},
				{"started a", ""},
				{"started c", ""},
				{"ok a", "stop c"},
				{"started b", "stop b"},
				{"gone a", ""},
				{"ok b", ""},
				{"gone b", ""},
				{"bad c", ""},
				{"gone c", "over"},
			}},
		{"or does not", `{processes: {a: {command: a}, b: {command: b}}}`, true, []step{
			{"", "start a, start b"},
			{"started a", ""},
			{"bad a", ""},
			{"gone a", ""},
			{"started b", ""},
			{"ok b", ""},
			{"gone b", "over"},
		}},
		{"what is awaited may end well, also when nobody waits any more",
			`{processes: {once: {command: o}, late: {command: l}, a: {command: a, depends_on: {once: exited-successfully, late: ready}}, b: {command: b}}}`, false, []step{
				{"", "start once, start late, start b"},
				{"failed late", "skip a (late ready)"},
				{"started b", "stop b"},
				{"started once", "stop once"},
				{"ok once", ""},
				{"gone once", ""},
				{"ok b", ""},
				{"gone b", "over"},
			}},
		{"a dependency by way of one that is over",
			`{processes: {db: {command: d}, migrate: {command: m, depends_on: [db]}, web: {command: w, depends_on: {migrate: exited-successfully}}}}`, false, []step{
				{"", "start db"},
				{"started db", "start migrate"},
				{"started migrate", ""},
				{"ok migrate", "start web"},
				{"gone migrate", ""},
				{"started web", ""},
				{"stop", "stop web"},
				{"ok web", ""},
				{"gone web", "stop db"},
				{"ok db", ""},
				{"gone db", "over"},
			}},
		{"a stop before all have been started", chain, false, []step{
			{"", "start migrate"},
			{"stop", ""},
			{"started migrate", "stop migrate"},
			{"ok migrate", ""},
			{"gone migrate", "over"},
		}},
	} {
		t.Run(test.name, func(t *testing.T) {
			pool, err := parseYAML(source{path: "p.yaml", data: []byte(strings.ReplaceAll(test.pool, "\t", ""))})
			require.NoError(t, err)
			p := NewProgress(pool, test.keepGoing)
			for i, s := range test.steps {
				happen(p, s.happens)
				require.Equal(t, s.due, describe(p), "what is due at step %d, %q", i, s.happens)
			}
		})
	}
}

func happen(p *Progress, what string) {
	verb, name, _ := strings.Cut(what, " ")
	i := p.index[name]
	switch verb {
	case "started":
		p.Started(i)
	case "failed":
		p.StartFailed(i)
	case "ready":
		p.Ready(i)
	case "ok", "bad":
		p.Ended(i, verb == "ok")
	case "gone":
		p.Gone(i)
	case "stop":
		p.Stop()
	}
}

func describe(p *Progress) string {
	due := p.Next()
	var all []string
	name := func(i int) string { return p.pool.Processes[i].Spec.Name }
	for _, i := range due.Start {
		all = append(all, "start "+name(i))
	}
	for _, s := range due.Skip {
		all = append(all, fmt.Sprintf("skip %s (%s %s)", name(s.Process), s.Because.Name, s.Because.Condition))
	}
	for _, i := range due.Stop {
		all = append(all, "stop "+name(i))
	}
	if p.Left() == 0 {
		all = append(all, "over")
	}
	return strings.Join(all, ", ")
}

// TestEveryPoolComesToAnEnd plays random pools against a world in which anything
// may happen at any time.
func TestEveryPoolComesToAnEnd(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		dependencies, _ := acyclic(t)
		pool := &Pool{}
		for i, on := range dependencies {
			p := Process{}
			p.Spec.Name = fmt.Sprint("p", i)
			for _, d := range on {
				condition := rapid.SampledFrom([]Condition{Started, Ready, ExitedSuccessfully}).Draw(t, "condition")
				p.DependsOn = append(p.DependsOn, Dependency{Name: fmt.Sprint("p", d), Condition: condition})
			}
			pool.Processes = append(pool.Processes, p)
		}
		w := &world{pool: pool, dependencies: dependencies, stages: make([]string, len(dependencies)), had: make([]map[Condition]bool, len(dependencies))}
		progress := NewProgress(pool, rapid.Bool().Draw(t, "keep going"))
		w.obey(t, progress.Next())
		for step := 0; progress.Left() > 0; step++ {
			if step > 100 {
				progress.Stop() // a pool of daemons never ends by itself
			}
			w.happen(t, progress, step > 100)
			w.obey(t, progress.Next())
		}
		for i, stage := range w.stages {
			require.Contains(t, []string{"", "gone", "skipped"}, stage, "it is over, but p%d is not", i)
		}
	})
}

// world is the processes as they really are.
type world struct {
	pool         *Pool
	dependencies [][]int
	stages       []string // "" before it is started
	had          []map[Condition]bool
	stopped      []int
}

func (w *world) obey(t *rapid.T, due Due) {
	index := w.pool.index()
	for _, s := range due.Skip {
		require.Empty(t, w.stages[s.Process], "p%d is skipped", s.Process)
		w.stages[s.Process] = "skipped"
	}
	for _, i := range due.Start {
		for _, d := range w.pool.Processes[i].DependsOn {
			require.True(t, w.had[index[d.Name]][d.Condition], "p%d is started, but %s is not %v", i, d.Name, d.Condition)
		}
		require.Empty(t, w.stages[i], "p%d is started", i)
		w.stages[i], w.had[i] = "starting", map[Condition]bool{}
	}
	for _, i := range due.Stop {
		require.Equal(t, "running", w.stages[i], "p%d is stopped", i)
		require.NotContains(t, w.stopped, i, "it is stopped twice")
		for j, stage := range w.stages {
			if w.reaches(j, i) {
				require.Contains(t, []string{"", "gone", "skipped"}, stage, "p%d is stopped while p%d, which depends on it, is there", i, j)
			}
		}
		w.stopped = append(w.stopped, i)
	}
}

// reaches reports whether from depends on to, directly or not.
func (w *world) reaches(from, to int) bool {
	for _, on := range w.dependencies[from] {
		if on == to || w.reaches(on, to) {
			return true
		}
	}
	return false
}

// happen makes something happen.
func (w *world) happen(t *rapid.T, p *Progress, hurry bool) {
	var alive []int
	for i, stage := range w.stages {
		if stage == "starting" || stage == "running" && (!hurry || slices.Contains(w.stopped, i)) || stage == "ended" {
			alive = append(alive, i)
		}
	}
	if len(alive) == 0 {
		if hurry {
			return
		}
		require.Fail(t, "nothing can happen", "%d are left: %q", p.Left(), w.stages)
	}
	i := rapid.SampledFrom(alive).Draw(t, "process")
	switch luck := rapid.IntRange(0, 9).Draw(t, "luck"); {
	case luck == 9 && !hurry:
		p.Stop()
	case w.stages[i] == "starting" && luck == 0:
		w.stages[i] = "gone"
		p.StartFailed(i)
	case w.stages[i] == "starting":
		w.stages[i], w.had[i][Started] = "running", true
		p.Started(i)
	case w.stages[i] == "ended":
		w.stages[i] = "gone"
		p.Gone(i)
	case luck < 4 && !w.had[i][Ready] && !hurry:
		w.had[i][Ready] = true
		p.Ready(i)
	default:
		w.stages[i], w.had[i][ExitedSuccessfully] = "ended", luck < 7 && !slices.Contains(w.stopped, i)
		p.Ended(i, luck < 7)
	}
}
