package main

import (
	"io"
	"testing"
)

// Nothing outlives a command line that was killed, wherever it went.
func TestNothingOutlivesAKilledCommandLine(t *testing.T) {
	cmd := cli(t, "run", "--", "sh", "-c",
		`setsid sh -c 'echo $$; while :; do sleep 600; done' & sh -c 'echo $$; exec sleep 600' & echo $$; wait`)
	out := start(t, cmd)
	var pids []int
	for range 3 {
		pids = append(pids, readPID(t, out))
	}
	cmd.Process.Kill()
	for _, pid := range pids {
		until(t, "it has ended", func() bool { return dead(pid) })
	}
	cmd.Wait()
}

// What the leader has left behind is ended before the command line is.
func TestWhatIsLeftBehindEnds(t *testing.T) {
	cmd := cli(t, "run", "-i", "--grace", "1s", "--", "sh", "-c",
		`setsid sh -c 'trap "" TERM; echo $$; exec sleep 600 >/dev/null 2>&1' & read x; exit 3`)
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out := start(t, cmd)
	pid := readPID(t, out)
	in.Close()
	io.Copy(io.Discard, out)
	if code := wait(t, cmd); code != 3 {
		t.Errorf("exit code %d", code)
	}
	if !dead(pid) {
		t.Error("it is still there")
	}
}
