package actors

import (
	"math"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/procession-go/procession/messages"
	"github.com/procession-go/procession/supervisor"
)

func TestValidate(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		problem string // what the refusal has to name; "" if there is none
		spoil   func(*messages.Spec)
	}{
		{"", func(*messages.Spec) {}},
		{"Command", func(s *messages.Spec) { s.Command = "" }},
		{"Command", func(s *messages.Spec) { s.Command = "a\x00" }},
		{"", func(s *messages.Spec) { s.Args = []string{"", "\xff", strings.Repeat("x", 1<<20)} }},
		{"Args[1]", func(s *messages.Spec) { s.Args = []string{"", "\x00"} }},
		{"Dir", func(s *messages.Spec) { s.Dir = "\x00" }},
		{"", func(s *messages.Spec) { s.Env = map[string]string{"A": "=", "B": ""} }},
		{"Env", func(s *messages.Spec) { s.Env = map[string]string{"": ""} }},
		{"Env", func(s *messages.Spec) { s.Env = map[string]string{"=": ""} }},
		{"Env", func(s *messages.Spec) { s.Env = map[string]string{"\x00": ""} }},
		{"Env X", func(s *messages.Spec) { s.Env = map[string]string{"X": "\x00"} }},
		{"", func(s *messages.Spec) { s.OutputLimit = messages.Unlimited }},
		{"", func(s *messages.Spec) { s.OutputLimit = math.MaxInt64 }},
		{"OutputLimit", func(s *messages.Spec) { s.OutputLimit = -2 }},
		{"Timeout", func(s *messages.Spec) { s.Timeout = -1 }},
		{"Grace", func(s *messages.Spec) { s.Grace = -1 }},
		{"", func(s *messages.Spec) { s.Grace, s.Timeout = math.MaxInt64, math.MaxInt64 }},
		{"", func(s *messages.Spec) { s.StopSignal = 64 }},
		{"StopSignal", func(s *messages.Spec) { s.StopSignal = 65 }},
		{"StopSignal", func(s *messages.Spec) { s.StopSignal = -1 }},
		{"Restart.When", func(s *messages.Spec) { s.Restart.When = supervisor.Always + 1 }},
		{"Restart.Window", func(s *messages.Spec) { s.Restart.Window = -1 }},
		{"Restart.MinBackoff", func(s *messages.Spec) { s.Restart.MinBackoff = -1 }},
		{"Restart.MaxBackoff", func(s *messages.Spec) { s.Restart.MaxBackoff = -1 }},
		{"Restart.MaxBackoff", func(s *messages.Spec) { s.Restart.MinBackoff, s.Restart.MaxBackoff = 2, 1 }},
		{"", func(s *messages.Spec) { s.Restart.MinBackoff, s.Restart.MaxRestarts = time.Hour, -1 }},
		{"Ready", func(s *messages.Spec) { s.Ready = &messages.Probe{} }},
		{"", func(s *messages.Spec) {
			s.Ready = &messages.Probe{Pattern: "a+", TCP: ":80", HTTP: "http://localhost/", Exec: []string{"true", ""}}
		}},
		{"Ready.Pattern", func(s *messages.Spec) { s.Ready = &messages.Probe{Pattern: "("} }},
		{"Ready.TCP", func(s *messages.Spec) { s.Ready = &messages.Probe{TCP: "localhost"} }},
		{"Ready.TCP", func(s *messages.Spec) { s.Ready = &messages.Probe{TCP: "localhost:"} }},
		{"Ready.TCP", func(s *messages.Spec) { s.Ready = &messages.Probe{TCP: "localhost:65536"} }},
		{"Ready.HTTP", func(s *messages.Spec) { s.Ready = &messages.Probe{HTTP: "http://localhost:99999/"} }},
		{"Ready.HTTP", func(s *messages.Spec) { s.Ready = &messages.Probe{HTTP: "http://:80/"} }},
		{"Ready.HTTP", func(s *messages.Spec) { s.Ready = &messages.Probe{HTTP: "localhost:80"} }},
		{"Ready.HTTP", func(s *messages.Spec) { s.Ready = &messages.Probe{HTTP: "ftp://localhost/"} }},
		{"Ready.HTTP", func(s *messages.Spec) { s.Ready = &messages.Probe{HTTP: "127.0.0.1:80"} }},
		{"Ready.HTTP", func(s *messages.Spec) { s.Ready = &messages.Probe{HTTP: ":80"} }},
		{"Ready.HTTP", func(s *messages.Spec) { s.Ready = &messages.Probe{HTTP: "http://[::1"} }},
		{"Ready.HTTP", func(s *messages.Spec) { s.Ready = &messages.Probe{HTTP: "http://local host/"} }},
		{"Ready.HTTP", func(s *messages.Spec) { s.Ready = &messages.Probe{HTTP: "http://localhost:port/"} }},
		{"Ready.HTTP", func(s *messages.Spec) { s.Ready = &messages.Probe{HTTP: "%zz"} }},
		{"Ready.HTTP", func(s *messages.Spec) { s.Ready = &messages.Probe{HTTP: "//localhost/"} }},
		{"Ready.HTTP", func(s *messages.Spec) { s.Ready = &messages.Probe{HTTP: "http:localhost"} }},
		{"Ready.Exec[0]", func(s *messages.Spec) { s.Ready = &messages.Probe{Exec: []string{""}} }},
		{"Ready.Exec[1]", func(s *messages.Spec) { s.Ready = &messages.Probe{Exec: []string{"true", "\x00"}} }},
		{"Ready.Interval", func(s *messages.Spec) { s.Ready = &messages.Probe{Pattern: "a", Interval: -1} }},
		{"Ready.Timeout", func(s *messages.Spec) { s.Ready = &messages.Probe{Pattern: "a", Timeout: -1} }},
	} {
		spec := messages.Spec{Command: "true"}
		test.spoil(&spec)
		refusal := validate(&spec)
		if test.problem == "" {
			assert.Nil(t, refusal, "%+v", spec)
		} else if assert.NotNil(t, refusal, "%s: %+v", test.problem, spec) {
			assert.Equal(t, messages.CodeInvalidSpec, refusal.Code)
			assert.Contains(t, refusal.Message, test.problem)
		}
	}
}

func TestOwnFillsInTheDefaults(t *testing.T) {
	t.Parallel()
	config := &Config{Grace: 7, OutputLimit: 8}
	s := own(messages.Spec{}, config)
	assert.EqualValues(t, 7, s.Grace)
	assert.EqualValues(t, 8, s.OutputLimit)
	assert.Equal(t, syscall.SIGTERM, s.StopSignal)
	given := messages.Spec{Grace: 1, OutputLimit: messages.Unlimited, StopSignal: syscall.SIGINT}
	s = own(given, config)
	assert.Equal(t, given.Grace, s.Grace)
	assert.Equal(t, given.OutputLimit, s.OutputLimit)
	assert.Equal(t, given.StopSignal, s.StopSignal)
	given = messages.Spec{Grace: math.MaxInt64, PTY: &messages.Size{Rows: 1}, Ready: &messages.Probe{Exec: []string{"a"}}}
	s = own(given, config)
	now := time.Now()
	assert.False(t, now.Add(s.Grace).Before(now), "the longest grace ends before it begins")
	s.PTY.Rows, s.Ready.Exec[0] = 2, "b"
	assert.EqualValues(t, 1, given.PTY.Rows, "it shares memory with the caller's")
	assert.Equal(t, "a", given.Ready.Exec[0], "it shares memory with the caller's")
}

func TestSelects(t *testing.T) {
	t.Parallel()
	info := &messages.Info{Name: "n", State: messages.Running, Labels: map[string]string{"a": "1", "b": ""}}
	for _, test := range []struct {
		selector messages.Selector
		selected bool
	}{
		{messages.Selector{}, true},
		{messages.Selector{Labels: map[string]string{"a": "1"}}, true},
		{messages.Selector{Labels: map[string]string{"a": "1", "b": ""}}, true},
		{messages.Selector{Labels: map[string]string{"a": "2"}}, false},
		{messages.Selector{Labels: map[string]string{"c": ""}}, false},
		{messages.Selector{States: []messages.State{messages.Exited, messages.Running}}, true},
		{messages.Selector{States: []messages.State{messages.Exited}}, false},
		{messages.Selector{Names: []string{"m", "n"}}, true},
		{messages.Selector{Names: []string{"m"}}, false},
		{messages.Selector{Names: []string{"n"}, States: []messages.State{messages.Exited}}, false},
	} {
		assert.Equal(t, test.selected, selects(test.selector, info), "%+v", test.selector)
	}
}

// TestDue compares what must go with a model that looks at all of them.
func TestDue(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		most := rapid.IntRange(-1, 5).Draw(t, "most")
		maxAge := time.Duration(rapid.IntRange(0, 5).Draw(t, "max age"))
		now := time.Unix(0, 0)
		var r retained
		known := map[*entry]bool{}
		var model []retainedEntry // what is kept, oldest first
		forget := func(e *entry) {
			if !e.releasing {
				r.leave()
				e.releasing = true
			}
			r.remove(e)
			delete(known, e)
		}
		var slow []*entry // being released
		for range rapid.IntRange(1, 80).Draw(t, "steps") {
			switch rapid.IntRange(0, 4).Draw(t, "step") {
			case 0, 1:
				e := &entry{ended: true}
				r.add(e)
				r.queue[len(r.queue)-1].at = now
				known[e] = true
				model = append(model, retainedEntry{e, now})
			case 2:
				now = now.Add(time.Duration(rapid.IntRange(0, 3).Draw(t, "later")))
			case 3: // a caller releases one
				if len(model) > 0 {
					i := rapid.IntRange(0, len(model)-1).Draw(t, "which")
					forget(model[i].entry)
					model = append(model[:i:i], model[i+1:]...)
				}
			case 4: // one that was slow to be released is gone
				if len(slow) > 0 {
					forget(slow[0])
					slow = slow[1:]
				}
			}
			for {
				e, next := r.due(func(e *entry) bool { return known[e] && !e.releasing }, most, maxAge, now)
				mustGo := len(model) > 0 && (most >= 0 && len(model) > most || maxAge > 0 && now.Sub(model[0].at) >= maxAge)
				require.Equal(t, mustGo, e != nil, "one must go, of %d of which at most %d may stay", len(model), most)
				if e == nil {
					var want time.Time
					if maxAge > 0 && len(model) > 0 {
						want = model[0].at.Add(maxAge)
					}
					require.True(t, want.Equal(next), "the next is due at %v, not %v", next, want)
					break
				}
				require.Same(t, model[0].entry, e)
				model = model[1:]
				if rapid.Bool().Draw(t, "slow") {
					r.leave()
					e.releasing = true
					slow = append(slow, e)
				} else {
					forget(e)
				}
			}
			require.Equal(t, len(model), r.count-r.leaving, "of %d, %d are leaving", r.count, r.leaving)
			require.LessOrEqual(t, len(r.queue), 2*r.count+17)
		}
	})
}
