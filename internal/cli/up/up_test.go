//go:build unix

package up_test

import (
	"os"
	"path/filepath"
	"regexp"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/procession-go/procession/internal/cli/clitest"
)

// onScreen runs up on a terminal, without colours.
func onScreen(t *testing.T, args ...string) *clitest.Screen {
	t.Helper()
	cmd := clitest.Command(t, append([]string{"up"}, args...)...)
	cmd.Env = append(cmd.Env, "NO_COLOR=1")
	return clitest.Show(t, cmd)
}

// inOrder checks that text has parts, which are regular expressions, one after
// the other.
func inOrder(t *testing.T, text string, parts ...string) {
	t.Helper()
	rest := text
	for _, part := range parts {
		at := regexp.MustCompile("(?m)" + part).FindStringIndex(rest)
		require.NotNil(t, at, "no %q at its place in:\n%s", part, text)
		rest = rest[at[1]:]
	}
}

// upTogether runs up with both streams in one, so that their order can be seen.
func upTogether(t *testing.T, args ...string) (text string, code int) {
	t.Helper()
	cmd := clitest.Command(t, append([]string{"up"}, args...)...)
	file, err := os.Create(filepath.Join(t.TempDir(), "output"))
	require.NoError(t, err)
	defer file.Close()
	cmd.Stdout, cmd.Stderr = file, file
	require.NoError(t, cmd.Start())
	code = clitest.Wait(t, cmd)
	output, err := os.ReadFile(file.Name())
	require.NoError(t, err)
	return string(output), code
}
