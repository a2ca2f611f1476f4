package mcpserver

import (
	"runtime"
	"runtime/debug"
	"runtime/metrics"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/procession-go/procession/internal/testkit"
)

// TestWaitOnAProcessThatNeverStops: wait_seconds waits for output, and not for an
// end of it.
func TestWaitOnAProcessThatNeverStops(t *testing.T) {
	c := connect(t, overHTTP(t, newServer(t, Options{})))
	for name, line := range map[string]string{
		"slowly": "while :; do echo x; sleep 0.004; done", // never silent for as long as settle
		"flood":  "yes",
	} {
		for _, filter := range []string{"", "[xy]"} {
			id := c.start(line, arguments{"output_limit": 65536})
			begin := time.Now()
			_, r := c.do("get_process_output", arguments{"process_id": id, "wait_seconds": testkit.Patience.Seconds(), "filter_lines": filter})
			assert.LessOrEqual(t, time.Since(begin), testkit.Patience/2, "%s, filter %q", name, filter)
			assert.NotEmpty(t, r["output"], "%s, filter %q", name, filter)
			c.do("kill_process", arguments{"process_id": id})
		}
	}
}

// TestWaitSeesWhatIsShown: a line is waited for in the text that comes back.
func TestWaitSeesWhatIsShown(t *testing.T) {
	c := connect(t, overHTTP(t, newServer(t, Options{})))
	for _, test := range []struct {
		name, line, pattern string
		want                arguments
	}{
		{"many redraws of a line", // more than 64 KiB of them
			`i=0; while [ $i -lt 2000 ]; do printf '\rReceiving objects: %4d/2000 (some text to fill it up)' $i; i=$((i+1)); done; printf '\rReceiving objects: 2000/2000, done.\033[K\n'; exec sleep 1000`,
			"2000/2000, done.$", arguments{"output": "Receiving objects: 2000/2000, done.\n"}},
		{"a line that two streams interrupt",
			`printf 'warn: ' >&2; read a; echo ready; exec sleep 1000`, "^ready", arguments{"output": "", "stdout": "ready\n", "stderr": ""}},
		{"a line of both streams",
			`printf 'warn: ' >&2; read a; echo ready; exec sleep 1000`, "^warn: ready", arguments{"output": "warn: ready\n", "stdout": "", "stderr": ""}},
		{"a line on a terminal",
			`stty -echo; echo ready; exec sleep 1000`, "^ready$", arguments{"output": "ready\n"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			more := arguments{"stdin": true}
			if strings.Contains(test.line, "stty") {
				more = arguments{"pty": true}
			}
			id := c.start(test.line, more)
			if strings.Contains(test.line, "read a") {
				c.await(id, "warn")
				c.do("send_input", arguments{"process_id": id, "data": "\n"})
			}
			text, r := c.do("get_process_output", arguments{"process_id": id, "filter_lines": test.pattern, "wait_seconds": testkit.Patience.Seconds()})
			test.want["state"] = "running"
			expect(t, r, test.want)
			assert.NotContains(t, text, "no line matches")
			assert.Regexp(t, "ready|done", text)
		})
	}
}

// TestWaitSeesWhatIsCutAway: a line that matches counts, even if there is no room
// for any of it.
func TestWaitSeesWhatIsCutAway(t *testing.T) {
	c := connect(t, overHTTP(t, newServer(t, Options{})))
	id := c.start("printf é; exec sleep 1000")
	begin := time.Now()
	_, r := c.do("get_process_output", arguments{"process_id": id, "filter_lines": "é", "max_bytes": 1, "wait_seconds": testkit.Patience.Seconds()})
	expect(t, r, arguments{"output": "", "truncated": true, "dropped": 2, "next_cursor": 2})
	assert.LessOrEqual(t, time.Since(begin), testkit.Patience/2)
}

// TestReadOn: what a cursor has cut comes whole with the next call.
func TestReadOn(t *testing.T) {
	c := connect(t, overHTTP(t, newServer(t, Options{})))
	id := c.start(`printf 'server rea'; read a; echo dy; read a; echo over`, arguments{"stdin": true})
	next := func(in arguments, want string) {
		t.Helper()
		in["process_id"] = id
		_, r := c.do("get_process_output", in)
		expect(t, r, arguments{"output": want})
		in["cursor"] = r["next_cursor"]
	}
	c.await(id, "server")
	in := arguments{"filter_lines": "ready|over"}
	next(in, "")
	c.do("send_input", arguments{"process_id": id, "data": "\n"})
	in["wait_seconds"] = testkit.Patience.Seconds()
	next(in, "server ready\n")
	c.do("send_input", arguments{"process_id": id, "data": "\n"})
	next(in, "over\n")

	id = c.start(`printf 'a\033[3'; read a; printf '1mred\033[0m\n\033]0;my ti'; read a; printf 'tle\007text\n'; read a`, arguments{"stdin": true})
	in = arguments{"wait_seconds": testkit.Patience.Seconds()}
	next(in, "a")
	in["wait_seconds"] = 0.1
	next(in, "") // there is nothing to read in half a sequence
	in["wait_seconds"] = testkit.Patience.Seconds()
	c.do("send_input", arguments{"process_id": id, "data": "\n"})
	next(in, "red\n")
	c.do("send_input", arguments{"process_id": id, "data": "\n"})
	next(in, "text\n")
}

// TestTruncated: it is said of each of the three texts.
func TestTruncated(t *testing.T) {
	c := connect(t, overHTTP(t, newServer(t, Options{})))
	id := c.start(`echo aaaaaaaaaa; read a; printf '\033[1A\033[2K' >&2; echo b`, arguments{"stdin": true})
	c.await(id, "a")
	c.do("send_input", arguments{"process_id": id, "data": "\n"})
	c.wait(id)
	_, r := c.do("get_process_output", arguments{"process_id": id, "max_bytes": 5})
	expect(t, r, arguments{"output": "b\n", "stdout": "aa\nb\n", "dropped": 0, "truncated": true})
	_, r = c.do("get_process_output", arguments{"process_id": id})
	expect(t, r, arguments{"output": "b\n", "stdout": "aaaaaaaaaa\nb\n", "dropped": 0, "truncated": false})
}

// TestMaxBytesHasACeiling.
func TestMaxBytesHasACeiling(t *testing.T) {
	c := connect(t, overHTTP(t, newServer(t, Options{})))
	id := c.start("seq 300000", arguments{"output_limit": -1}) // 1,988,895 bytes
	c.wait(id)
	_, r := c.do("get_process_output", arguments{"process_id": id, "max_bytes": 1 << 30})
	n := len(r["output"].(string))
	assert.LessOrEqual(t, n, MaxTextLimit)
	assert.GreaterOrEqual(t, n, MaxTextLimit-10)
	expect(t, r, arguments{"dropped": 1988895 - n})
	for _, test := range []struct{ asked, standard, want int }{{0, 10, 10}, {5, 10, 5}, {20, 10, 20}, {2 << 20, 10, 1 << 20}, {3 << 20, 2 << 20, 2 << 20}} {
		got, err := textLimit(test.asked, Options{TextLimit: test.standard})
		assert.NoError(t, err, "%+v", test)
		assert.Equal(t, test.want, got, "%+v", test)
	}
}

// TestManyReadersTakeLittleMemory: what a call takes does not depend on how much
// is retained, and few take it at the same time.
func TestManyReadersTakeLittleMemory(t *testing.T) {
	s := newServer(t, Options{})
	c := connect(t, overHTTP(t, s))
	id := c.start(`yes "$(printf '\033[32mline of coloured output\033[0m with some more text')" | head -c 8000000`, arguments{"output_limit": 4 << 20})
	c.wait(id)
	defer debug.SetGCPercent(debug.SetGCPercent(10)) // so that what lives is looked at often
	runtime.GC()
	before := liveHeap(t)
	stop, peak := make(chan struct{}), make(chan uint64)
	go func() {
		var most uint64
		for ticks := time.Tick(5 * time.Millisecond); ; {
			most = max(most, liveHeap(t))
			select {
			case <-ticks:
			case <-stop:
				peak <- most
				return
			}
		}
	}()
	var calls sync.WaitGroup
	for range 16 {
		calls.Go(func() { c.succeed("get_process_output", arguments{"process_id": id}) })
	}
	calls.Wait()
	close(stop)
	assert.LessOrEqual(t, <-peak, before+16<<20, "bytes of heap, after %d", before)
}

// liveHeap is what the last garbage collection found alive, which other tests'
// garbage is not.
func liveHeap(t *testing.T) uint64 {
	t.Helper()
	sample := []metrics.Sample{{Name: "/gc/heap/live:bytes"}}
	metrics.Read(sample)
	return sample[0].Value.Uint64()
}
