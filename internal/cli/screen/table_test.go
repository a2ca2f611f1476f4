package screen

import (
	"slices"
	"strings"
	"testing"
)

func TestTable(t *testing.T) {
	got := Table([]Column{Left("NAME"), Right("PID"), Left("EXIT")}, [][]string{
		{"größe", "7", "0"},
		{"a", "12345", "SIGKILL (killed)"},
	})
	want := []string{
		"NAME     PID  EXIT",
		"größe      7  0",
		"a      12345  SIGKILL (killed)",
	}
	if !slices.Equal(got, want) {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}
