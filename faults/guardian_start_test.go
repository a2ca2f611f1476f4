//go:build linux

package faults

import (
	"os"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/procession-go/procession"
	"github.com/procession-go/procession/internal/testkit"
	"github.com/procession-go/procession/internal/testkit/enginetest"
)

// slowInits makes the guardians of this program take long to start up, as those of a
// program do whose packages have much to initialize.
const slowInits = "PROCESSION_FAULTS_SLOW_INITS"

func init() {
	if os.Args[0] == "procession-guardian" && os.Getenv(slowInits) != "" {
		time.Sleep(time.Minute)
	}
}

// Neither a start nor the end of an engine waits for a guardian that is starting up.
func TestNobodyWaitsForAGuardianThatStartsUp(t *testing.T) {
	t.Setenv(slowInits, "1")
	for name, specs := range map[string][]procession.Spec{
		"nothing is started": nil,
		"one":                {procession.Shell("exit 3")},
		"one that lives":     {procession.Shell("exit 3"), procession.Shell("exec sleep 600")},
	} {
		t.Run(name, func(t *testing.T) {
			ctx := testkit.Within(t) // half as long
			eng := enginetest.New(t, procession.WithGuardian())
			var ids []string
			for _, spec := range specs {
				id, err := eng.Start(ctx, spec)
				require.NoError(t, err)
				ids = append(ids, id)
			}
			if len(ids) > 0 {
				exit, err := eng.Wait(ctx, ids[0])
				require.NoError(t, err)
				assert.Equal(t, 3, exit.Code)
			}
			_, err := eng.Shutdown(ctx)
			require.NoError(t, err)
		})
	}
}
