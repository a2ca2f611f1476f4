//go:build linux

package bench

import (
	"flag"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// helperVariable makes this binary, executed again, be a helper instead: its
// value is the name of the helper and its arguments.
const helperVariable = "PROCESSION_BENCH_HELPER"

// helpers are the helpers by name.
var helpers = map[string]func(args []string) error{
	"short-writes": shortWrites,
	"many-engine":  manyEngine,
	"many-plain":   manyPlain,
}

func TestMain(m *testing.M) {
	if words := strings.Fields(os.Getenv(helperVariable)); len(words) > 0 {
		os.Unsetenv(helperVariable) // not for what it starts itself
		if err := helpers[words[0]](words[1:]); err != nil {
			fmt.Fprintln(os.Stderr, words[0]+":", err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	flag.Parse()
	given := false
	flag.Visit(func(f *flag.Flag) { given = given || f.Name == "test.benchtime" })
	if !given {
		flag.Set("test.benchtime", "1x") // a comparison knows how many rounds it needs
	}
	os.Exit(m.Run())
}

// helper is the setting of helperVariable for a helper.
func helper(name string, args ...any) string {
	return name + " " + strings.TrimSpace(fmt.Sprintln(args...))
}

func helperCmd(name string, args ...any) *exec.Cmd {
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), helperVariable+"="+helper(name, args...))
	return cmd
}

// size is a flag: a number of bytes, with K, M or G for powers of 1024.
type size int64

var floodSize = size(512 << 20)

func init() { flag.Var(&floodSize, "bytes", "what one process prints in a flood, e.g. `4G`") }

// String is the size in bytes.
func (s *size) String() string { return strconv.FormatInt(int64(*s), 10) }

// Set parses a size.
func (s *size) Set(text string) error {
	shift := 10 * (1 + strings.IndexAny("KMG", text[max(0, len(text)-1):]))
	if shift > 0 {
		text = text[:len(text)-1]
	}
	n, err := strconv.ParseInt(text, 10, 64)
	*s = size(n << shift)
	return err
}

func TestSize(t *testing.T) {
	for text, want := range map[string]size{"12": 12, "3K": 3 << 10, "2M": 2 << 20, "4G": 4 << 30} {
		var got size
		require.NoError(t, got.Set(text), "%q", text)
		assert.Equal(t, want, got, "%q", text)
	}
	assert.Error(t, new(size).Set(""), "an empty size")
}

// scale is n, or a tenth of it with -short.
func scale(n int) int {
	if testing.Short() {
		return max(1, n/10)
	}
	return n
}
