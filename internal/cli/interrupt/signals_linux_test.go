package interrupt

import (
	"os"
	"syscall"
	"testing"

	"github.com/stretchr/testify/assert"
)

func TestWhichSignalsAskForTheEnd(t *testing.T) {
	const INT, TERM, HUP, QUIT = syscall.SIGINT, syscall.SIGTERM, syscall.SIGHUP, syscall.SIGQUIT
	for _, test := range []struct{ ignored, want []os.Signal }{
		{nil, []os.Signal{INT, TERM, HUP, QUIT}},
		{[]os.Signal{HUP}, []os.Signal{INT, TERM, QUIT}},
		{[]os.Signal{INT}, []os.Signal{TERM, HUP}},
		{[]os.Signal{INT, HUP}, []os.Signal{TERM}},
	} {
		got := without(endSignals, func(sig os.Signal) bool {
			for _, ignored := range test.ignored {
				if sig == ignored {
					return true
				}
			}
			return false
		})
		assert.Equal(t, test.want, got)
	}
}
