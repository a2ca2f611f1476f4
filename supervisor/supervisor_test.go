package supervisor

import (
	"encoding/json"
	"math"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

var epoch = time.Unix(1_000_000, 0)

func TestDecide(t *testing.T) {
	t.Parallel()
	ago := func(ds ...time.Duration) (times []time.Time) {
		for _, d := range ds {
			times = append(times, epoch.Add(-d))
		}
		return times
	}
	failed, succeeded := Ended{At: epoch}, Ended{At: epoch, Success: true}
	for name, test := range map[string]struct {
		policy   Policy
		history  History
		end      Ended
		restart  bool
		gaveUp   bool
		maxDelay time.Duration
		streak   int
	}{
		"the zero policy":            {Policy{}, History{}, failed, false, false, 0, 0},
		"never":                      {Policy{When: Never, MaxRestarts: -1}, History{}, failed, false, false, 0, 0},
		"on failure, a failure":      {Policy{When: OnFailure}, History{}, failed, true, false, DefaultMinBackoff, 1},
		"on failure, a success":      {Policy{When: OnFailure}, History{}, succeeded, false, false, 0, 0},
		"always, a success":          {Policy{When: Always}, History{}, succeeded, true, false, DefaultMinBackoff, 1},
		"always, but asked":          {Policy{When: Always}, History{}, Ended{At: epoch, Asked: true}, false, false, 0, 0},
		"the second doubles":         {Policy{When: Always, MinBackoff: 3}, History{Streak: 1}, failed, true, false, 6, 2},
		"the fifth":                  {Policy{When: Always, MinBackoff: 3, MaxBackoff: 1000}, History{Streak: 4}, failed, true, false, 48, 5},
		"no more than the most":      {Policy{When: Always, MinBackoff: 3, MaxBackoff: 7}, History{Streak: 4}, failed, true, false, 7, 5},
		"no overflow":                {Policy{When: Always, MinBackoff: math.MaxInt64/2 - 1, MaxBackoff: math.MaxInt64}, History{Streak: 9}, failed, true, false, math.MaxInt64, 10},
		"after a healthy run":        {Policy{When: Always, MinBackoff: 3, MaxBackoff: 7}, History{Streak: 4}, Ended{At: epoch, Ran: 7}, true, false, 3, 1},
		"almost healthy":             {Policy{When: Always, MinBackoff: 3, MaxBackoff: 7}, History{Streak: 4}, Ended{At: epoch, Ran: 6}, true, false, 7, 5},
		"not ready is not healthy":   {Policy{When: Always, MinBackoff: 3, MaxBackoff: 7}, History{Streak: 4}, Ended{At: epoch, Ran: 100, Unready: true}, true, false, 7, 5},
		"not ready, and the second":  {Policy{When: Always, MinBackoff: 3, MaxBackoff: 7}, History{Streak: 1}, Ended{At: epoch, Ran: 7, Unready: true}, true, false, 6, 2},
		"not ready for long, by far": {Policy{When: Always, Window: 5}, History{Restarts: ago(105, 104, 103, 102, 101)}, Ended{At: epoch, Ran: 101, Unready: true}, false, true, 0, 0},
		"not ready, and one is old":  {Policy{When: Always, MinBackoff: 1, Window: 5}, History{Restarts: ago(106, 104, 103, 102, 101)}, Ended{At: epoch, Ran: 101, Unready: true}, true, false, 1, 1},
		"five are enough":            {Policy{When: Always}, History{Restarts: ago(5, 4, 3, 2, 1), Streak: 5}, failed, false, true, 0, 5},
		"four are not":               {Policy{When: Always, MinBackoff: 1}, History{Restarts: ago(4, 3, 2, 1)}, failed, true, false, 1, 1},
		"one is too old":             {Policy{When: Always, MinBackoff: 1, Window: 5}, History{Restarts: ago(5, 4, 3, 2, 1)}, failed, true, false, 1, 1},
		"none is":                    {Policy{When: Always, Window: 6}, History{Restarts: ago(5, 4, 3, 2, 1)}, failed, false, true, 0, 0},
		"without limit":              {Policy{When: Always, MaxRestarts: -1, MinBackoff: 1}, History{Restarts: ago(5, 4, 3, 2, 1)}, failed, true, false, 1, 1},
		"healthy, but too often":     {Policy{When: Always, MaxRestarts: 1, MaxBackoff: 1, MinBackoff: 1}, History{Restarts: ago(2), Streak: 1}, Ended{At: epoch, Ran: 1}, false, true, 0, 0},
	} {
		before := slices.Clone(test.history.Restarts)
		d := test.policy.Decide(test.history, test.end)
		assert.Equal(t, test.restart, d.Restart, "Restart of %s", name)
		assert.Equal(t, test.gaveUp, d.GaveUp, "GaveUp of %s", name)
		assert.Equal(t, test.maxDelay, d.MaxDelay, "MaxDelay of %s", name)
		assert.Equal(t, test.streak, d.History.Streak, "Streak of %s", name)
		assert.Equal(t, before, test.history.Restarts, "%s: Decide has changed its argument", name)
	}
}

func TestDecideKeepsToThePolicy(t *testing.T) {
	t.Parallel()
	durations := rapid.OneOf(rapid.Int64Range(0, 1000), rapid.Int64Range(0, math.MaxInt64))
	rapid.Check(t, func(t *rapid.T) {
		p := Policy{
			When:        When(rapid.IntRange(0, 2).Draw(t, "when")),
			MaxRestarts: rapid.IntRange(-1, 6).Draw(t, "max restarts"),
			Window:      time.Duration(durations.Draw(t, "window")),
			MinBackoff:  time.Duration(durations.Draw(t, "min")),
		}
		if rapid.Bool().Draw(t, "with max") {
			p.MaxBackoff = time.Duration(rapid.Int64Range(int64(p.MinBackoff), math.MaxInt64).Draw(t, "max"))
		}
		full, now, history := p.WithDefaults(), epoch, History{}
		var restarts []time.Time
		for range rapid.IntRange(1, 60).Draw(t, "ends") {
			e := Ended{
				Ran: time.Duration(rapid.Int64Range(0, 2000).Draw(t, "ran")), Success: rapid.Bool().Draw(t, "success"),
				Asked: rapid.IntRange(0, 9).Draw(t, "asked") == 0, Unready: rapid.IntRange(0, 3).Draw(t, "unready") == 0,
			}
			now = now.Add(e.Ran)
			e.At = now
			d := p.Decide(history, e)
			history = d.History
			wanted := !e.Asked && (p.When == Always || p.When == OnFailure && !e.Success)
			within := 0
			for i := range restarts {
				if e.Unready && wanted {
					restarts[i] = restarts[i].Add(e.Ran)
				}
			}
			for _, at := range restarts {
				if now.Sub(at) < full.Window {
					within++
				}
			}
			limited := full.MaxRestarts >= 0 && within >= full.MaxRestarts
			require.Equal(t, wanted && !limited, d.Restart, "%d restarts within the window, %+v, %+v", within, p, e)
			require.Equal(t, wanted && limited, d.GaveUp, "%d restarts within the window, %+v, %+v", within, p, e)
			if !d.Restart {
				continue
			}
			require.GreaterOrEqual(t, d.MaxDelay, min(full.MinBackoff, full.MaxBackoff))
			require.LessOrEqual(t, d.MaxDelay, full.MaxBackoff)
			jitter := Jitter(d.MaxDelay)
			require.GreaterOrEqual(t, jitter, time.Duration(0))
			require.LessOrEqual(t, jitter, d.MaxDelay)
			restarts = append(restarts, now)
		}
		require.LessOrEqual(t, len(history.Restarts), max(0, full.MaxRestarts), "the history is longer than what is counted")
	})
}

func TestJitterIsEven(t *testing.T) {
	t.Parallel()
	for _, limit := range []time.Duration{0, 1, 2, 3, time.Millisecond, time.Hour, math.MaxInt64} {
		for range 1000 {
			jitter := Jitter(limit)
			require.GreaterOrEqual(t, jitter, time.Duration(0))
			require.LessOrEqual(t, jitter, limit)
		}
	}
	var quarters [4]int
	const draws = 8000
	for range draws {
		quarters[min(Jitter(4000)/1000, 3)]++
	}
	for i, n := range quarters {
		assert.InEpsilon(t, draws/4, n, 0.2, "draws in quarter %d", i)
	}
}

func TestWithDefaults(t *testing.T) {
	t.Parallel()
	assert.Equal(t, Policy{MaxRestarts: 5, Window: time.Minute, MinBackoff: 100 * time.Millisecond, MaxBackoff: 10 * time.Second}, Policy{}.WithDefaults())
	assert.Equal(t, time.Minute, Policy{MinBackoff: time.Minute}.WithDefaults().MaxBackoff, "with a least of a minute")
	given := Policy{When: Always, MaxRestarts: -1, Window: 1, MinBackoff: 2, MaxBackoff: 3}
	assert.Equal(t, given, given.WithDefaults())
}

func TestWhenAsText(t *testing.T) {
	t.Parallel()
	text, err := json.Marshal([]When{Never, OnFailure, Always})
	require.NoError(t, err)
	assert.Equal(t, `["never","on-failure","always"]`, string(text))
	var back []When
	require.NoError(t, json.Unmarshal(text, &back))
	assert.Equal(t, []When{Never, OnFailure, Always}, back)
	assert.Error(t, json.Unmarshal([]byte(`["sometimes"]`), &back), "an unknown condition is accepted")
	assert.Equal(t, "unknown(9)", When(9).String())
}

// What never becomes ready, with everything at its default, is given up after the sixth time.
func TestWhatIsNeverReadyIsGivenUp(t *testing.T) {
	t.Parallel()
	for _, ran := range []time.Duration{time.Second, time.Minute, time.Hour} {
		history, now, delays := History{}, epoch, []time.Duration{}
		for {
			now = now.Add(ran)
			d := Policy{When: OnFailure}.Decide(history, Ended{At: now, Ran: ran, Unready: true})
			if history = d.History; !d.Restart {
				assert.True(t, d.GaveUp, "%v: %+v", ran, d)
				break
			}
			now, delays = now.Add(d.MaxDelay), append(delays, d.MaxDelay)
		}
		assert.Equal(t, []time.Duration{1e8, 2e8, 4e8, 8e8, 16e8}, delays, "each has run for %v", ran)
	}
}
