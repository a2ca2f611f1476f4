//go:build linux

package procession_test

import (
	"os"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/procession-go/procession"
	"github.com/procession-go/procession/internal/testkit"
	"github.com/procession-go/procession/internal/testkit/enginetest"
)

func init() { helpers["engine-above-cat"] = helpEngineAboveCat }

// helpEngineAboveCat has an engine run a program that tells its standard input,
// and reads it to its end.
func helpEngineAboveCat() {
	ctx := backgroundWithin()
	e, err := procession.New()
	insist(err == nil, err)
	id, err := e.Start(ctx, procession.Shell("readlink /proc/self/fd/0; cat"))
	insist(err == nil, err)
	_, err = e.Wait(ctx, id)
	insist(err == nil, err)
	out, err := e.Output(ctx, id)
	insist(err == nil, err)
	_, err = e.Shutdown(ctx)
	insist(err == nil, err)
	os.Stdout.WriteString(out.Combined())
}

func TestFaultStdinIsTheNullDevice(t *testing.T) {
	testkit.Needs(t, "readlink")
	t.Parallel()
	e := enginetest.New(t)
	id := enginetest.Start(t, e, withStdin(helper("engine-above-cat"))) // a child of that engine must not get to see it
	write(t, e, id, "the host's protocol\n")
	exit, out := enginetest.Wait(t, e, id), enginetest.Output(t, e, id)
	assert.True(t, exit.Success(), "%v, %q", exit, out.Combined())
	assert.Equal(t, os.DevNull+"\n", out.Stdout())
}

func TestFaultOnlyTheStandardFilesAreInherited(t *testing.T) {
	t.Parallel()
	e := enginetest.New(t)
	for range 3 { // what the engine holds for these must not be seen by the next
		enginetest.Start(t, e, procession.Spec{Command: "cat", Stdin: true})
	}
	_, out := enginetest.Run(t, e, procession.Spec{Command: "ls", Args: []string{"/proc/self/fd"}})
	assert.Equal(t, "0\n1\n2\n3\n", out.Stdout()) // 3 is the directory that ls reads
}

func TestFaultStdinCanBeWritten(t *testing.T) {
	t.Parallel()
	e := enginetest.New(t)
	id := enginetest.Start(t, e, procession.Spec{Command: "cat", Stdin: true})
	n, err := e.Write(testkit.Within(t), id, []byte("hello"))
	require.NoError(t, err)
	assert.Equal(t, 5, n)
	require.NoError(t, e.CloseStdin(testkit.Within(t), id))
	enginetest.Wait(t, e, id)
	assert.Equal(t, "hello", enginetest.Output(t, e, id).Stdout())
}
