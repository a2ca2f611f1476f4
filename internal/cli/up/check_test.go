//go:build unix

package up_test

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/procession-go/procession/internal/cli/clitest"
	"github.com/procession-go/procession/internal/cli/console"
)

func TestCheck(t *testing.T) {
	file := clitest.PoolYAML(t, `
processes:
  web: {command: [bin/web, a b], restart: always, depends_on: {migrate: exited-successfully, db: ready}}
  migrate: {command: 'bin/migrate   --all'}
  db: {command: db}
`)
	cmd := clitest.Command(t, "check")
	cmd.Dir = filepath.Dir(file)
	want := `   NAME     STARTS                                      RESTART  COMMAND
1  migrate  at once                                     never    bin/migrate --all
2  db       at once                                     never    db
3  web      when migrate exited-successfully, db ready  always   bin/web "a b"
They are stopped in the opposite order.
`
	assert.Equal(t, clitest.Result{Stdout: want}, clitest.RunCommand(t, cmd))
}

// That nobody reads what it says is no reason to say that a file is wrong.
func TestCheckWhenNobodyReads(t *testing.T) {
	file := clitest.PoolYAML(t, "processes: {a: {command: x}}")
	for _, args := range [][]string{{"check", file}, {"version"}} {
		cmd := clitest.Command(t, args...)
		r, w, err := os.Pipe()
		require.NoError(t, err)
		r.Close()
		var stderr bytes.Buffer
		cmd.Stdout, cmd.Stderr = w, &stderr
		require.NoError(t, cmd.Start())
		w.Close()
		assert.Zero(t, clitest.Wait(t, cmd), "exit code of %q", args)
		assert.Empty(t, stderr.String(), "%q", args)
	}
}

func TestCheckSaysAllThatIsWrong(t *testing.T) {
	for _, command := range []string{"check", "up"} {
		file := clitest.PoolYAML(t, "processes:\n  a: {comand: x, depends_on: [b]}\n  b: {command: x, depends_on: [a]}\n")
		cmd := clitest.Command(t, command)
		cmd.Dir = filepath.Dir(file)
		want := `procession.yaml:2: process a: unknown key "comand"; did you mean "command"?
procession.yaml:2: process a: no command
procession.yaml:3: processes depend on each other: a → b → a
`
		assert.Equal(t, clitest.Result{Code: console.CodeUsage, Stderr: want}, clitest.RunCommand(t, cmd), command)
	}
}
