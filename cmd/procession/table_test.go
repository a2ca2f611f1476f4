package main

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/procession-go/procession"
)

func TestTable(t *testing.T) {
	got := table([]column{{"NAME", left}, {"PID", right}, {"EXIT", left}}, [][]string{
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

func TestExitText(t *testing.T) {
	for want, exit := range map[string]procession.Exit{
		"0":                 {},
		"3":                 {Code: 3},
		"SIGSEGV":           {Code: -1, Signal: "SIGSEGV"},
		"SIGTERM (timeout)": {Code: -1, Signal: "SIGTERM", Cause: procession.CauseTimeout},
		"0 (killed)":        {Cause: procession.CauseKilled},
	} {
		if got := exitText(exit); got != want {
			t.Errorf("exitText(%+v) = %q, want %q", exit, got, want)
		}
	}
}

func TestDurationText(t *testing.T) {
	for d, want := range map[time.Duration]string{
		0:                       "0s",
		1499 * time.Microsecond: "1ms",
		912 * time.Millisecond:  "912ms",
		1234 * time.Millisecond: "1.23s",
		63*time.Second + 499e6:  "1m3s",
		2*time.Hour + 1:         "2h0m0s",
	} {
		if got := durationText(d); got != want {
			t.Errorf("durationText(%v) = %q, want %q", d, got, want)
		}
	}
}
