package output

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

func TestMarksAreWhereSomethingBegins(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		limit := rapid.Int64Range(1, 40).Draw(t, "limit")
		l := NewLog(limit)
		s := NewBuffer(Stdout)
		var marks []int64 // all that were ever made
		t.Repeat(map[string]func(*rapid.T){
			"append": func(t *rapid.T) {
				text := strings.Repeat("x", rapid.IntRange(1, 30).Draw(t, "n"))
				slice, _ := s.Filled(copy(s.Free(), text))
				l.Append(slice)
			},
			"mark": func(t *rapid.T) {
				at := l.Begin()
				require.Equal(t, l.End(), at)
				if len(marks) == 0 || marks[len(marks)-1] != at {
					marks = append(marks, at)
				}
			},
			"": func(t *rapid.T) {
				from := rapid.Int64Range(l.First(), l.End()).Draw(t, "from")
				to := rapid.Int64Range(from, l.End()+1).Draw(t, "to")
				var want []int64
				for _, at := range marks {
					if from <= at && at < to {
						want = append(want, at)
					}
				}
				got := l.Boundaries(from, to)
				require.Len(t, got, len(want), "marks from %d to %d: %v", from, to, got)
				if len(want) > 0 {
					require.Equal(t, want, got, "marks from %d to %d", from, to)
				}
			},
		})
	})
}

// A process that is started again and again keeps no more marks than bytes.
func TestMarksGoWithWhatIsDropped(t *testing.T) {
	l := NewLog(10)
	s := NewBuffer(Stdout)
	for range 1000 {
		l.Begin()
		slice, _ := s.Filled(copy(s.Free(), "x"))
		l.Append(slice)
	}
	l.Begin()
	assert.Len(t, l.Boundaries(0, l.End()+1), 11)
}
