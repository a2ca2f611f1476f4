package flags

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/procession-go/procession"
)

func TestParseEnv(t *testing.T) {
	got, err := parseEnv([]string{"A=1", "B=x=y", "C=", "A=2,3"})
	require.NoError(t, err)
	assert.Equal(t, map[string]string{"A": "2,3", "B": "x=y", "C": ""}, got)
	for _, entry := range []string{"A", "=1", ""} {
		_, err := parseEnv([]string{entry})
		assert.Error(t, err, "%q", entry)
	}
}

func TestGraceOfNothingIsNotTheDefault(t *testing.T) {
	flags := Process{grace: 0}
	spec, err := flags.Spec(procession.Spec{})
	require.NoError(t, err)
	assert.Positive(t, spec.Grace)
	assert.LessOrEqual(t, spec.Grace, time.Millisecond)
}
