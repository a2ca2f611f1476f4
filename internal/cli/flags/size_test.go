package flags

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/procession-go/procession"
)

func TestSize(t *testing.T) {
	for text, want := range map[string]int64{
		"64KiB":     64 << 10,
		"1MiB":      1 << 20,
		"1MB":       1e6,
		"1.5 GiB":   3 << 29,
		"1":         1,
		"unlimited": procession.Unlimited,
	} {
		var s, back Size
		require.NoError(t, s.Set(text), "%q", text)
		assert.Equal(t, want, int64(s), "%q", text)
		require.NoError(t, back.Set(s.String()), "as which %q is shown", text)
		if text != "1MB" {
			assert.Equal(t, s, back, "what %q is shown as", text)
		}
	}
	for _, text := range []string{"", "0", "-1", "64Kb/s", "many", "9EiB", "NaN"} {
		var s Size
		assert.Error(t, s.Set(text), "%q", text)
	}
}
