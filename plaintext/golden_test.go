package plaintext

import (
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

var update = flag.Bool("update", false, "write the golden files; then look at them")

// Recordings of real programs, see testdata/README.md. The terminal was 24 lines
// high; a reader that knows it sees the same as one that does not.
func TestRecordings(t *testing.T) {
	files, err := filepath.Glob("testdata/*.rec")
	require.NoError(t, err)
	require.NotEmpty(t, files, "no recordings")
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".rec"), func(t *testing.T) {
			in, err := os.ReadFile(file)
			require.NoError(t, err)
			golden := strings.TrimSuffix(file, ".rec") + ".golden"
			got := Bytes(in)
			if *update {
				require.NoError(t, os.WriteFile(golden, []byte(got), 0o644))
			}
			want, err := os.ReadFile(golden)
			require.NoError(t, err)
			assert.Equal(t, string(want), got)
			r := Renderer{Rows: 24}
			r.Write(in)
			assert.Equal(t, string(want), r.Lines()+r.Rest(), "with 24 rows")
			for _, n := range []int{7, 100} {
				assert.Equal(t, string(want), inPieces(string(in), n), "in pieces of %d", n)
			}
		})
	}
}
