package bench

import (
	"runtime"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
)

// side is one way to do a piece of work.
type side struct {
	name string
	// cost does the work, and answers what it cost in the unit of the comparison.
	cost func() float64
}

// comparison is what the sides cost, by side and round. The first side is the
// engine, the second the baseline.
type comparison struct {
	b     *testing.B
	sides []side
	costs [][]float64
}

// compare lets the sides take turns for so many rounds, a third of it with
// -short, and again so many for each iteration that -benchtime asks for. The
// order changes with each round. A round before the first warms up.
func compare(b *testing.B, rounds int, sides ...side) *comparison {
	b.Helper()
	c := &comparison{b: b, sides: sides, costs: make([][]float64, len(sides))}
	for _, s := range sides {
		s.cost()
	}
	if testing.Short() {
		rounds = (rounds + 2) / 3
	}
	for b.Loop() {
		for range rounds {
			c.round()
		}
	}
	b.ReportMetric(0, "ns/op") // the duration of all that means nothing
	b.ReportMetric(float64(len(c.costs[0])), "rounds")
	return c
}

func (c *comparison) round() {
	n := len(c.sides)
	round := len(c.costs[0])
	for k := range n {
		i := (round + k) % n
		if round/n%2 == 1 {
			i = n - 1 - i
		}
		runtime.GC() // nobody pays for the garbage of another
		c.costs[i] = append(c.costs[i], c.sides[i].cost())
	}
}

// ratios are what the baseline cost relative to a side, by round.
func (c *comparison) ratios(side int) []float64 {
	ratios := make([]float64, len(c.costs[side]))
	for round, cost := range c.costs[side] {
		ratios[round] = c.costs[1][round] / cost
	}
	return ratios
}

// speed reports how fast the engine is relative to the baseline, what the goal
// is (0 for none), and what one unit costs.
func (c *comparison) speed(goal float64, unit string) {
	c.report("ratio", goal, unit, func(ratio float64) float64 { return ratio })
}

// cost reports what the engine costs relative to the baseline.
func (c *comparison) cost(goal float64, unit string) {
	c.report("cost-ratio", goal, unit, func(ratio float64) float64 { return 1 / ratio })
}

func (c *comparison) report(metric string, goal float64, unit string, of func(ratio float64) float64) {
	for i, s := range c.sides {
		prefix := s.name + "-"
		if i == 0 {
			prefix = ""
		}
		c.b.ReportMetric(median(c.costs[i]), prefix+unit)
		if i == 1 {
			continue
		}
		ratios := c.ratios(i)
		for r, ratio := range ratios {
			ratios[r] = of(ratio)
		}
		c.b.ReportMetric(median(ratios), prefix+metric)
		if i == 0 {
			c.b.ReportMetric(quantile(ratios, 0.25), metric+"-p25")
			c.b.ReportMetric(quantile(ratios, 0.75), metric+"-p75")
		}
	}
	if goal != 0 {
		c.b.ReportMetric(goal, "goal")
	}
}

// nanoseconds is how long f takes.
func nanoseconds(f func()) float64 {
	begin := time.Now()
	f()
	return float64(time.Since(begin))
}

func median(values []float64) float64 { return quantile(values, 0.5) }

// quantile is the q-quantile of values, between two of them if need be; 0 if
// there are none.
func quantile(values []float64, q float64) float64 {
	if len(values) == 0 {
		return 0
	}
	sorted := slices.Sorted(slices.Values(values))
	at := q * float64(len(sorted)-1)
	below := int(at)
	above := min(below+1, len(sorted)-1)
	return sorted[below] + (at-float64(below))*(sorted[above]-sorted[below])
}

func TestQuantile(t *testing.T) {
	for _, test := range []struct {
		values  []float64
		q, want float64
	}{
		{nil, 0.5, 0},
		{[]float64{7}, 0.99, 7},
		{[]float64{3, 1, 2}, 0.5, 2},
		{[]float64{4, 1, 2, 3}, 0.5, 2.5},
		{[]float64{0, 10}, 0.25, 2.5},
		{[]float64{5, 1, 3}, 1, 5},
	} {
		assert.Equal(t, test.want, quantile(test.values, test.q), "quantile %v of %v", test.q, test.values)
	}
}

func TestComparisonTakesTurns(t *testing.T) {
	var order string
	c := comparison{costs: make([][]float64, 3)}
	for _, name := range []string{"a", "b", "c"} {
		c.sides = append(c.sides, side{name, func() float64 { order += name; return 2 }})
	}
	for range 6 {
		c.round()
	}
	assert.Equal(t, "abc"+"bca"+"cab"+"cba"+"bac"+"acb", order)
	assert.Equal(t, []float64{1, 1, 1, 1, 1, 1}, c.ratios(0))
}
