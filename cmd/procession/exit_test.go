//go:build unix

package main

import (
	"testing"

	"github.com/procession-go/procession"
)

func TestCodeOf(t *testing.T) {
	for _, test := range []struct {
		exit procession.Exit
		want int
	}{
		{procession.Exit{}, 0},
		{procession.Exit{Code: 255}, 255},
		{procession.Exit{Code: -1, Signal: "SIGKILL"}, 137},
		{procession.Exit{Code: -1, Signal: "SIGTERM"}, 143},
		{procession.Exit{Code: -1, Signal: "signal 34"}, 162},
		{procession.Exit{Code: -1, Cause: procession.CauseStartFailed}, 125},
		{procession.Exit{Cause: procession.CauseTimeout}, 124},
		{procession.Exit{Code: 7, Cause: procession.CauseTimeout}, 7},
		{procession.Exit{Code: -1, Signal: "SIGTERM", Cause: procession.CauseTimeout}, 143},
		{procession.Exit{Cause: procession.CauseKilled}, 0},
	} {
		if got := codeOf(test.exit); got != test.want {
			t.Errorf("codeOf(%+v) = %d, want %d", test.exit, got, test.want)
		}
	}
}
