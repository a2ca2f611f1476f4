//go:build unix

package up_test

import (
	"net"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/procession-go/procession/internal/testkit"
)

// freeAddress is an address at which nothing listens.
func freeAddress(t *testing.T) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer listener.Close()
	return listener.Addr().String()
}

// The example pool, which ends by itself when the worker has done its jobs.
func TestExamplePool(t *testing.T) {
	testkit.Needs(t, "go")
	for _, test := range []struct {
		file string
		says []string
	}{
		{"procession.yaml", []string{
			`^migrate \| created table jobs$`, `^system  \| migrate exited: exit status 0$`,
			`^web     \| listening on`, `^worker  \| demo worker: 503`, `^system  \| worker exited: exit status 1, restarting in`,
			`^worker  \| demo worker: 503`, `^system  \| worker exited: exit status 1, restarting in`,
			`^worker  \| did job 1$`, `^worker  \| did job 2$`, `^system  \| worker exited: exit status 0; stopping the rest$`,
			`^web     \| closed$`, `^system  \| web stopped`}},
		{"Procfile", []string{
			`^web.1    \| created table jobs$`, `^web.1    \| listening on`, `^worker.1 \| demo worker: 503`, `^worker.1 \| demo worker: 503`,
			`^worker.1 \| did job 1$`, `^worker.1 \| did job 2$`, `^system   \| worker.1 exited: exit status 0; stopping the rest$`,
			`^web.1    \| closed$`}},
	} {
		t.Run(test.file, func(t *testing.T) {
			t.Setenv("DEMO_ADDR", freeAddress(t))
			t.Setenv("DEMO_JOBS", "2")
			text, code := upTogether(t, filepath.Join("..", "..", "..", "examples", "pool", test.file))
			assert.Zero(t, code, "exit code")
			inOrder(t, text, test.says...)
		})
	}
}
