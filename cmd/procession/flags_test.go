package main

import (
	"maps"
	"testing"
	"time"

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
		var s size
		if err := s.Set(text); err != nil || int64(s) != want {
			t.Errorf("Set(%q) = %v, %v, want %d", text, int64(s), err, want)
		}
		back := s
		if err := back.Set(s.String()); err != nil || text != "1MB" && back != s {
			t.Errorf("%q is shown as %q, which is read as %d, %v", text, s.String(), int64(back), err)
		}
	}
	for _, text := range []string{"", "0", "-1", "64Kb/s", "many", "9EiB", "NaN"} {
		var s size
		if err := s.Set(text); err == nil {
			t.Errorf("Set(%q) = %d, want an error", text, int64(s))
		}
	}
}

func TestParseEnv(t *testing.T) {
	got, err := parseEnv([]string{"A=1", "B=x=y", "C=", "A=2,3"})
	if want := map[string]string{"A": "2,3", "B": "x=y", "C": ""}; err != nil || !maps.Equal(got, want) {
		t.Errorf("got %q, %v, want %q", got, err, want)
	}
	for _, entry := range []string{"A", "=1", ""} {
		if _, err := parseEnv([]string{entry}); err == nil {
			t.Errorf("%q is no error", entry)
		}
	}
}

func TestGraceOfNothingIsNotTheDefault(t *testing.T) {
	flags := processFlags{grace: 0}
	spec, err := flags.spec(procession.Spec{})
	if err != nil || spec.Grace <= 0 || spec.Grace > time.Millisecond {
		t.Errorf("grace %v, %v", spec.Grace, err)
	}
}
