package plaintext

import (
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "write the golden files; then look at them")

// Recordings of real programs, see testdata/README.md. The terminal was 24 lines
// high; a reader that knows it sees the same as one that does not.
func TestRecordings(t *testing.T) {
	files, err := filepath.Glob("testdata/*.rec")
	if err != nil || len(files) == 0 {
		t.Fatal("no recordings", err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".rec"), func(t *testing.T) {
			in, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			golden := strings.TrimSuffix(file, ".rec") + ".golden"
			got := Bytes(in)
			if *update {
				if err := os.WriteFile(golden, []byte(got), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(golden)
			if err != nil {
				t.Fatal(err)
			}
			if got != string(want) {
				t.Errorf("got\n%s\nwant\n%s", got, want)
			}
			r := Renderer{Rows: 24}
			r.Write(in)
			if got := r.Lines() + r.Rest(); got != string(want) {
				t.Errorf("with 24 rows: got\n%s\nwant\n%s", got, want)
			}
			for _, n := range []int{7, 100} {
				if got := inPieces(string(in), n); got != string(want) {
					t.Errorf("in pieces of %d: got\n%s", n, got)
				}
			}
		})
	}
}
