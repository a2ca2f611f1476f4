package ending

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
)

func TestOvertime(t *testing.T) {
	t.Parallel()
	due := time.Unix(1000, 0)
	for late, want := range map[time.Duration]time.Duration{
		-time.Hour:            0,
		0:                     0,
		punctual:              0,
		punctual + 1:          punctual + 1,
		maxOvertime:           maxOvertime,
		maxOvertime + 1:       maxOvertime,
		365 * 24 * time.Hour:  maxOvertime,
		-365 * 24 * time.Hour: 0,
	} {
		assert.Equal(t, want, Overtime(due, due.Add(late)), "%v late", late)
	}
}
