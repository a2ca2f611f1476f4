package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

const passes = `{"Action":"start","Package":"p"}
{"Action":"output","Package":"p","Test":"TestA","Output":"    a_test.go:7: a log\n"}
{"Action":"output","Package":"p","Test":"TestA","Output":"    needs.go:33: needs seq, which is not installed\n"}
{"Action":"output","Package":"p","Test":"TestA","Output":"--- SKIP: TestA (0.00s)\n"}
{"Action":"skip","Package":"p","Test":"TestA","Elapsed":0}
{"Action":"output","Package":"p","Test":"TestB","Output":"    b_test.go:1: noise\n"}
{"Action":"pass","Package":"p","Test":"TestB","Elapsed":0}
{"Action":"skip","Package":"without/tests"}
{"Action":"pass","Package":"p","Elapsed":1.5}
`

// told is what the command prints, and how it ends.
func told(t *testing.T, in, allow string) (string, error) {
	t.Helper()
	file := ""
	if allow != "" {
		file = filepath.Join(t.TempDir(), "skips")
		require.NoError(t, os.WriteFile(file, []byte(allow), 0o644))
	}
	var out strings.Builder
	err := run(strings.NewReader(in), &out, file)
	return out.String(), err
}

func TestWhatWasSkippedIsTold(t *testing.T) {
	out, err := told(t, passes, "")
	require.NoError(t, err)
	assert.Equal(t, "ok  \tp\t1.500s\nskipped, 1: needs seq, which is not installed\n\tTestA\n", out)
}

func TestOnlyWhatIsAllowedIsSkipped(t *testing.T) {
	_, err := told(t, passes, "# a reason\n^TestA: needs seq\n")
	assert.NoError(t, err)
	_, err = told(t, passes, "# no reason\n\n^TestB\n")
	assert.ErrorContains(t, err, "TestA: needs seq, which is not installed")
	_, err = told(t, passes, "(")
	assert.ErrorContains(t, err, "missing closing )")
}

func TestWhatFailsIsShown(t *testing.T) {
	out, err := told(t, `{"Action":"build-output","ImportPath":"q","Output":"q.go:1: undefined: x\n"}
{"Action":"build-fail","ImportPath":"q"}
not JSON
{"Action":"output","Package":"p","Test":"TestA","Output":"=== RUN   TestA\n"}
{"Action":"output","Package":"p","Test":"TestA","Output":"    a_test.go:7: it is wrong\n"}
{"Action":"fail","Package":"p","Test":"TestA","Elapsed":0}
{"Action":"output","Package":"p","Output":"FAIL\n"}
{"Action":"fail","Package":"p","Elapsed":1.5}
`, "")
	assert.Error(t, err)
	assert.Equal(t, "q.go:1: undefined: x\nnot JSON\n    a_test.go:7: it is wrong\nFAIL\n", out)
}
