package flags

import (
	"testing"

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
		var s Size
		if err := s.Set(text); err != nil || int64(s) != want {
			t.Errorf("Set(%q) = %v, %v, want %d", text, int64(s), err, want)
		}
		back := s
		if err := back.Set(s.String()); err != nil || text != "1MB" && back != s {
			t.Errorf("%q is shown as %q, which is read as %d, %v", text, s.String(), int64(back), err)
		}
	}
	for _, text := range []string{"", "0", "-1", "64Kb/s", "many", "9EiB", "NaN"} {
		var s Size
		if err := s.Set(text); err == nil {
			t.Errorf("Set(%q) = %d, want an error", text, int64(s))
		}
	}
}
