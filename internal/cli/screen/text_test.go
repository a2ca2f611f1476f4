package screen

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
)

func TestDurationText(t *testing.T) {
	for d, want := range map[time.Duration]string{
		0:                       "0s",
		1499 * time.Microsecond: "1ms",
		912 * time.Millisecond:  "912ms",
		1234 * time.Millisecond: "1.23s",
		63*time.Second + 499e6:  "1m3s",
		2*time.Hour + 1:         "2h0m0s",
	} {
		assert.Equal(t, want, Duration(d))
	}
}
