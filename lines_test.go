//go:build linux

package procession_test

import (
	"context"
	"fmt"
	"os"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"github.com/procession-go/procession"
	"github.com/procession-go/procession/internal/testkit"
	"github.com/procession-go/procession/internal/testkit/enginetest"
)

func init() {
	helpers["chatter"] = helpChatter
	helpers["say"] = helpSay
	helpers["dots"] = helpDots
	helpers["watch-dots"] = helpWatchDots
}

// helpSay writes its arguments, each that begins with "!" to standard error, once the one
// before it has been read.
func helpSay() {
	for _, text := range os.Args[1:] {
		text, loud := strings.CutPrefix(text, "!")
		to := os.Stdout
		if loud {
			to = os.Stderr
		}
		to.WriteString(text)
		for {
			if n, err := unix.IoctlGetInt(int(to.Fd()), unix.TIOCINQ); err != nil || n == 0 {
				break
			}
			time.Sleep(100 * time.Microsecond)
		}
	}
}

// helpChatter writes its second argument to the stream that the first says, and its third to the
// other one, every 5 ms.
func helpChatter() {
	streams := map[string][2]*os.File{"1": {os.Stdout, os.Stderr}, "2": {os.Stderr, os.Stdout}}[os.Args[1]]
	streams[0].WriteString(os.Args[2])
	for range time.Tick(5 * time.Millisecond) {
		streams[1].WriteString(os.Args[3])
	}
}

// Of a line that was dropped in part the rest is no line.
func TestAFragmentIsNoLine(t *testing.T) {
	t.Parallel()
	e := enginetest.New(t)
	shell := procession.Shell
	for name, test := range map[string]struct {
		spec    procession.Spec
		limit   int64
		pattern string
		found   string
	}{
		"lines":                       {shell("for i in $(seq 100); do echo NOT OK; done"), 73, "^OK$", ""},
		"lines, at a boundary":        {shell("for i in $(seq 100); do echo NOT OK; done"), 70, "OK$", "NOT OK"},
		"standard error":              {shell("for i in $(seq 100); do echo NOT OK >&2; done"), 73, "^OK$", ""},
		"as a terminal ends them":     {shell(`for i in $(seq 100); do printf 'NOT OK\r\n'; done`), 84, "^(OK)?$", ""},
		"one without an end":          {shell("printf 'NOT OK'"), 2, "^OK$", ""},
		"the end of a line alone":     {shell("echo NOT OK"), 1, "^$", ""},
		"inside a character":          {shell("for i in $(seq 100); do echo NÖ; done"), 6, "^$", ""},
		"what follows it is one":      {shell("echo NOT OK; echo OK"), 5, "^O.$", "OK"},
		"each stream has its own":     {helper("say", "NOT ", "!OK\n", "OK\n"), 6, "^OK$", "OK"},
		"the other one has been torn": {helper("say", "!NOT ", "NO\n", "!OK\n"), 6, "^OK$", ""},
		"a line that begins anew":     {shell(`printf '\rNOT OK\rOK\n'`), 5, "^OK$", "OK"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			spec := test.spec
			spec.OutputLimit = test.limit
			id := enginetest.Start(t, e, spec)
			enginetest.Wait(t, e, id)
			line, err := e.WaitFor(testkit.Within(t), id, regexp.MustCompile(test.pattern))
			assert.Equal(t, test.found, line)
			if test.found == "" {
				assert.ErrorIs(t, err, procession.ErrExited)
			}
		})
	}
}

func TestAFloodHasNoFragments(t *testing.T) {
	t.Parallel()
	e := enginetest.New(t)
	spec := procession.Spec{Command: "yes", Args: []string{"NOT OK, does not say so: OK"}, OutputLimit: 1001}
	id := enginetest.Start(t, e, spec)
	ctx, cancel := context.WithTimeout(testkit.Within(t), 300*time.Millisecond)
	defer cancel()
	line, err := e.WaitFor(ctx, id, regexp.MustCompile("^([^N]|N[^O]|$)"))
	assert.Empty(t, line)
	assert.ErrorIs(t, err, context.DeadlineExceeded)
}

// What an incarnation begins with is whole, although the one before did not end its line.
func TestALineAfterAMarkIsNoFragment(t *testing.T) {
	t.Parallel()
	e := enginetest.New(t)
	spec := counting(t, "1) printf 'NOT '; exit 1;; *) echo >&2;;")
	spec.Args[1] = strings.Replace(spec.Args[1], "echo run $n;", "", 1) + "; echo OK"
	spec.Restart, spec.OutputLimit = quick, 4
	id := enginetest.Start(t, e, spec)
	enginetest.Wait(t, e, id)
	assert.Equal(t, "OK", findLine(t, e, id, "^OK$"))
}

// A prompt is found once nothing more comes of it, whatever comes of the other stream.
func TestWaitForFindsAPromptBesideChatter(t *testing.T) {
	t.Parallel()
	e := enginetest.New(t)
	for _, stream := range []string{"1", "2"} {
		for _, chatter := range []string{".", "chatter\n", "\r"} {
			id := enginetest.Start(t, e, helper("chatter", stream, "login: ", chatter))
			assert.Equal(t, "login: ", findLine(t, e, id, "^login: $"), "stream %s, beside %q", stream, chatter)
		}
	}
}

const progress = `i=0; while [ $i -lt 3000 ]; do printf '\r[===                 ] %d of 3000' $i; i=$((i+1)); done; `

// A carriage return begins the line anew for what matches.
func TestALineThatIsRedrawn(t *testing.T) {
	t.Parallel()
	e := enginetest.New(t)
	for end, pattern := range map[string]string{
		`printf '\rserver is ready\n'`:                      "server is ready",
		`printf '\rserver is ready\r\n'`:                    "^server is ready$",
		`printf '\rserver is ready'`:                        "^server is ready$", // a prompt
		`printf '\rserver is ready\r'`:                      "^server is ready$",
		`printf '\rserver is ready\r[====] 3000 of 3000\n'`: "^server is ready$",
	} {
		for _, stream := range []string{"", " >&2"} {
			spec := procession.Shell("{ " + progress + end + "; }" + stream + "; exec sleep 1000")
			spec.Ready = &procession.Probe{Pattern: pattern, Timeout: testkit.Patience}
			id := enginetest.Start(t, e, spec)
			require.NoError(t, e.WaitReady(testkit.Within(t), id), end)
			assert.Equal(t, "server is ready", findLine(t, e, id, pattern), end)
		}
	}
}

// helpDots writes so many dots, then others every 2 ms, and then "ready".
func helpDots() {
	first, _ := strconv.Atoi(os.Args[1])
	then, _ := strconv.Atoi(os.Args[2])
	os.Stdout.WriteString(strings.Repeat(".", first))
	for range then {
		time.Sleep(2 * time.Millisecond)
		os.Stdout.WriteString(".")
	}
	os.Stdout.WriteString(os.Args[3])
	time.Sleep(time.Hour)
}

// helpWatchDots is an engine that waits for "ready" in a line of dots, and says what CPU
// time it has taken, in milliseconds.
func helpWatchDots() {
	e, err := procession.New()
	insist(err == nil, err)
	spec := helper("dots", os.Args[1:]...)
	spec.Ready = &procession.Probe{Pattern: "[a-z]+y$"}
	var before, after unix.Rusage
	unix.Getrusage(unix.RUSAGE_SELF, &before)
	id, err := e.Start(backgroundWithin(), spec)
	insist(err == nil, err)
	insist(e.WaitReady(backgroundWithin(), id) == nil)
	_, err = e.WaitFor(backgroundWithin(), id, regexp.MustCompile(os.Args[4]))
	insist(err == nil, err)
	unix.Getrusage(unix.RUSAGE_SELF, &after)
	e.Shutdown(backgroundWithin())
	fmt.Println((after.Utime.Nano() - before.Utime.Nano()) / 1e6)
}

// Looking at a line that grows byte by byte costs little, however long it is.
func TestALongLineThatGrowsCostsLittle(t *testing.T) {
	t.Parallel()
	e := enginetest.New(t)
	for _, test := range []struct{ first, then, end, found string }{
		{"70000", "400", "\nready\n", "^ready$"},
		{"60000", "400", "ready", "ready$"}, // what is looked at is not full yet, and no newline comes
		{"3000", "400", "ready", "ready$"},
	} {
		took := 1 << 30
		for range 3 { // the least counts: others on the machine cost CPU time, too
			exit, out := enginetest.Run(t, e, helper("watch-dots", test.first, test.then, test.end, test.found))
			require.True(t, exit.Success(), out.Combined())
			once, err := strconv.Atoi(strings.TrimSpace(out.Stdout()))
			require.NoError(t, err)
			if took = min(took, once); took < 500 {
				break
			}
		}
		assert.Less(t, took, 500, "milliseconds of CPU time, %+v", test)
		t.Logf("%+v: %d ms", test, took)
	}
}
