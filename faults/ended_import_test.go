//go:build linux

package faults

import (
	"bytes"
	"os"
	"os/signal"
	"syscall"
	"testing"

	"github.com/stretchr/testify/assert"
)

// Shells change their environment while they import it, and may be seen at that moment.

func init() { helpers["importing"] = importing }

// importing stays as bash and zsh are while they import the engine's marks: with a NUL in
// the place of each =.
func importing([]string) {
	changeEnvironment(func(env []byte) {
		for entry := range bytes.SplitSeq(env, []byte{0}) {
			if name, _, ok := bytes.Cut(entry, []byte("=")); ok && bytes.HasPrefix(name, []byte("PROCESSION_")) {
				entry[len(name)] = 0
			}
		}
	})
	heard := make(chan os.Signal, 1)
	signal.Notify(heard, syscall.SIGTERM)
	told := os.Getenv("TOLD")
	check(os.WriteFile(told+".on", nil, 0o644))
	<-heard
	check(os.WriteFile(told, []byte("heard\n"), 0o644))
}

func TestEndedWhoImportsItsEnvironment(t *testing.T) {
	for name, line := range map[string]string{
		"a session":     `setsid "$SELF" &`,
		"a double fork": `(setsid "$SELF" &)`,
		"an orphan":     `setsid sh -c '"$SELF" &' &`,
	} {
		t.Run(name, func(t *testing.T) {
			row(t, 10, func(r *run) {
				spec := bash(line + "\n" + `until [ -e "$TOLD.on" ]; do sleep 0.02; done; echo on; exec sleep 1000`)
				spec.Env = map[string]string{"SELF": os.Args[0], helperVar: "importing", "GORACE": "atexit_sleep_ms=0"}
				r.kill(r.startOn(spec))
				assert.Equal(r, "heard\n", r.said())
				r.nothingLeft()
			})
		})
	}
}
