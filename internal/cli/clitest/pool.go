//go:build unix

package clitest

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/procession-go/procession/internal/testkit"
)

// PoolFile writes a file into a directory of its own, with SELF for this
// binary as a helper.
func PoolFile(t *testing.T, name, text string) string {
	t.Helper()
	testkit.NeedsFor(t, text)
	path := filepath.Join(t.TempDir(), name)
	text = strings.ReplaceAll(text, "SELF", Self(t))
	require.NoError(t, os.WriteFile(path, []byte(text), 0o644))
	return path
}

// PoolYAML writes a procession.yaml, as PoolFile does.
func PoolYAML(t *testing.T, text string) string { return PoolFile(t, "procession.yaml", text) }
