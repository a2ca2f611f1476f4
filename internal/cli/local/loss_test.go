package local

import (
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/procession-go/procession"
)

func TestCutText(t *testing.T) {
	for cause := procession.CauseExited; cause <= procession.CauseStartFailed; cause++ {
		want := "it was ended before it had written all"
		if cause == procession.CauseExited {
			want = "something that it started still held it open"
		}
		assert.Equal(t, want, CutText(procession.Exit{Cause: cause, OutputCut: true}), cause)
	}
}
