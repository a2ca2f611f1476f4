package testkit_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/procession-go/procession/internal/testkit"
)

// skips is a test that notes why it is skipped, and goes on.
type skips struct {
	testing.TB
	why []any
}

func (s *skips) Helper()                      {}
func (s *skips) Skipf(_ string, names ...any) { s.why = append(s.why, names...) }

func TestWhatIsMissingIsNamed(t *testing.T) {
	dir := t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(dir, "setsid"), []byte("#!/bin/sh\n"), 0o755))
	t.Setenv("PATH", dir)
	for script, missing := range map[string][]any{
		`setsid sh -c "seq 10" & wait`:         {"seq"},
		`for i in $(seq 3); do yes|head; done`: {"seq", "yes"},
		`exec /usr/bin/perl perl5 my-bash`:     nil,
		`python3`:                              {"python3"},
		``:                                     nil,
	} {
		s := &skips{TB: t}
		testkit.NeedsFor(s, script)
		assert.Equal(t, missing, s.why, script)
	}
	s := &skips{TB: t}
	testkit.Needs(s, "setsid", "no-such-program")
	assert.Equal(t, []any{"no-such-program"}, s.why)
}
