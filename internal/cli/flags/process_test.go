package flags

import (
	"maps"
	"testing"
	"time"

	"github.com/procession-go/procession"
)

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
	flags := Process{grace: 0}
	spec, err := flags.Spec(procession.Spec{})
	if err != nil || spec.Grace <= 0 || spec.Grace > time.Millisecond {
		t.Errorf("grace %v, %v", spec.Grace, err)
	}
}
