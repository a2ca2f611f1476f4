//go:build linux

package procession_test

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/procession-go/procession"
)

// What the manager that this engine replaces could do, operation by operation,
// and the faults of it that must not come back.

func TestReferenceStart(t *testing.T) {
	t.Setenv("PROCESSION_TEST_PARENT", "from the parent")
	e := newEngine(t)
	dir, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	exit, out := run(t, e, procession.Spec{
		Command: "sh", Args: []string{"-c", `pwd -P; echo "$1|$PROCESSION_TEST_PARENT|$ADDED"`, "sh", "an argument"},
		Dir: dir, Env: map[string]string{"ADDED": "from the spec"}, OutputLimit: 1000,
	})
	if want := dir + "\nan argument|from the parent|from the spec\n"; !exit.Success() || out.Stdout() != want {
		t.Errorf("%v, %q; want %q", exit, out.Combined(), want)
	}
}

func TestReferenceGetOutput(t *testing.T) {
	t.Parallel()
	e := newEngine(t)
	id := start(t, e, procession.Spec{Command: "sh", Args: []string{"-c", "echo out; echo err >&2; read line; exit 3"}, Stdin: true})
	awaitText(t, e, id, "out\n")
	awaitText(t, e, id, "err\n")
	out := must(e.Output(within(t), id))(t)
	if out.Stdout() != "out\n" || out.Stderr() != "err\n" || len(out.Combined()) != 8 || out.Truncated() || out.Exit != nil {
		t.Errorf("while it runs: %+v", out)
	}
	if err := e.CloseStdin(within(t), id); err != nil {
		t.Fatal(err)
	}
	must(e.Wait(within(t), id))(t)
	out = must(e.Output(within(t), id))(t)
	if out.Stdout() != "out\n" || out.Exit == nil || out.Exit.Code != 3 || out.Exit.Signal != "" {
		t.Errorf("after its end: %+v", out)
	}
}

func TestReferenceWaitForExit(t *testing.T) {
	t.Parallel()
	e := newEngine(t)
	id := start(t, e, procession.Spec{Command: "cat", Stdin: true})
	waiting := make(chan procession.Exit)
	for range 3 {
		go func() { waiting <- must(e.Wait(within(t), id))(t) }()
	}
	if err := e.CloseStdin(within(t), id); err != nil {
		t.Fatal(err)
	}
	for range 3 {
		if exit := <-waiting; !exit.Success() {
			t.Errorf("%+v", exit)
		}
	}
}

func TestReferenceKillTerminatesThenKills(t *testing.T) {
	t.Parallel()
	e := newEngine(t, procession.WithGrace(200*time.Millisecond))
	polite, stubborn := start(t, e, procession.Shell("sleep 1000")), start(t, e, helper("stubborn"))
	awaitText(t, e, stubborn, "ready")
	if exit := must(e.Kill(within(t), polite))(t); exit.Signal != "SIGTERM" || exit.Cause != procession.CauseKilled {
		t.Errorf("%+v", exit)
	}
	if exit := must(e.Kill(within(t), stubborn))(t); exit.Signal != "SIGKILL" || exit.Cause != procession.CauseKilled {
		t.Errorf("%+v", exit)
	}
}

func TestReferenceRelease(t *testing.T) {
	t.Parallel()
	e := newEngine(t)
	id := start(t, e, procession.Shell("sleep 1000"))
	pid := info(t, e, id).PID
	if err := e.Release(within(t), id); err != nil {
		t.Fatal(err)
	}
	if _, err := e.Output(within(t), id); !errors.Is(err, procession.ErrNotFound) || processState(pid) != 0 {
		t.Errorf("after Release: %v, process state %q", err, processState(pid))
	}
}

func TestReferenceList(t *testing.T) {
	t.Parallel()
	e := newEngine(t)
	a, b := start(t, e, procession.Shell("sleep 1000")), start(t, e, procession.Shell("exit 2"))
	must(e.Wait(within(t), b))(t)
	list := must(e.List(within(t)))(t)
	if len(list) != 2 || list[0].ID != a || list[0].Exit != nil || list[1].ID != b || list[1].Exit == nil || list[1].Exit.Code != 2 {
		t.Errorf("%+v", list)
	}
}

func TestReferenceInfo(t *testing.T) {
	t.Parallel()
	e := newEngine(t)
	dir := t.TempDir()
	begin := time.Now()
	id := start(t, e, procession.Spec{Command: "sleep", Args: []string{"1000"}, Dir: dir, OutputLimit: 12345})
	i := info(t, e, id)
	if i.ID != id || i.Command != "sleep" || len(i.Args) != 1 || i.Args[0] != "1000" || i.Dir != dir || i.OutputLimit != 12345 ||
		i.State != procession.Running || i.Exit != nil || i.CreatedAt.Before(begin) || i.CreatedAt.After(time.Now()) {
		t.Errorf("%+v", i)
	}
}

func TestReferenceCleanupHasOneSharedGrace(t *testing.T) {
	t.Parallel()
	const grace, stubborn, polite = time.Second, 10, 5
	e := newEngine(t, procession.WithGrace(grace))
	for range stubborn {
		awaitText(t, e, start(t, e, helper("stubborn")), "ready")
	}
	for range polite {
		start(t, e, procession.Spec{Command: "sleep", Args: []string{"1000"}})
	}
	must(e.Wait(within(t), start(t, e, procession.Shell("true"))))(t)
	begin := time.Now()
	report := must(e.Shutdown(within(t)))(t)
	if took := time.Since(begin); took < grace || took > stubborn*grace/2 {
		t.Errorf("a grace of %v for all took %v", grace, took)
	}
	if report.Terminated != polite || report.Killed != stubborn {
		t.Errorf("%+v", report)
	}
}

func TestFaultCombinedIsInOrderOfArrival(t *testing.T) {
	t.Parallel()
	e := newEngine(t)
	spec := helper("alternate")
	spec.Stdin = true
	id := start(t, e, spec)
	var combined, stdout, stderr string
	for i := range 20 {
		must(e.Write(within(t), id, []byte("next\n")))(t)
		line := fmt.Sprintln(i)
		for end := int64(len(combined) + len(line)); info(t, e, id).OutputBytes < end; {
			read(t, e, id, procession.ReadOptions{Cursor: int64(len(combined)), Wait: -1})
		}
		combined += line
		if i%2 == 0 {
			stdout += line
		} else {
			stderr += line
		}
	}
	out := must(e.Output(within(t), id))(t)
	if out.Combined() != combined || out.Stdout() != stdout || out.Stderr() != stderr {
		t.Errorf("combined %q\nstdout %q\nstderr %q", out.Combined(), out.Stdout(), out.Stderr())
	}
}

func TestFaultTruncationIsByBytesAtARuneBoundary(t *testing.T) {
	t.Parallel()
	e := newEngine(t)
	for limit := int64(1); limit <= 12; limit++ {
		spec := procession.Spec{Command: "printf", Args: []string{"  aé€😀  é€😀 \n"}, OutputLimit: limit}
		whole := spec.Args[0]
		_, out := run(t, e, spec)
		got := out.Combined()
		if int64(len(got)) > limit || !utf8.ValidString(got) || strings.Contains(got, "\uFFFD") || !strings.HasSuffix(whole, got) {
			t.Errorf("limit %d: %q", limit, got)
		}
		if int64(len(got)) < limit-3 || !out.Truncated() || out.Dropped != int64(len(whole)-len(got)) {
			t.Errorf("limit %d: %q, %d dropped", limit, got, out.Dropped)
		}
	}
}

func TestFaultTruncationStripsNothing(t *testing.T) {
	t.Parallel()
	spec := procession.Spec{Command: "printf", Args: []string{"0123456789\n\n   x \n"}, OutputLimit: 8}
	if _, out := run(t, newEngine(t), spec); out.Stdout() != "\n\n   x \n" {
		t.Errorf("%q", out.Stdout())
	}
}

func TestFaultTruncationCutsStderrToo(t *testing.T) {
	t.Parallel()
	spec := procession.Shell("echo small; seq 1 20000 >&2")
	spec.OutputLimit = 1000
	_, out := run(t, newEngine(t), spec)
	if n := len(out.Combined()); n > 1000 || n < 997 || !strings.HasSuffix(out.Stderr(), "\n20000\n") || !out.Truncated() {
		t.Errorf("%d bytes", n)
	}
}

func TestFaultAChunkBeyondTheLimitCostsNoMoreThanOthers(t *testing.T) {
	t.Parallel()
	e := newEngine(t)
	spec := procession.Shell("head -c 512M /dev/zero") // at 0.1 GB/s and less, this takes too long
	spec.OutputLimit = 4 << 20
	begin := time.Now()
	_, out := run(t, e, spec)
	if got := out.Dropped + int64(len(bytesOf(out.Segments))); got != 512<<20 {
		t.Errorf("%d bytes", got)
	}
	t.Logf("%.1f GB/s", 0.5/time.Since(begin).Seconds())
}

func TestFaultACharacterSplitBetweenReadsStaysWhole(t *testing.T) {
	t.Parallel()
	text := "aé€😀z€"
	_, out := run(t, newEngine(t), helper("split", text))
	if out.Stdout() != text {
		t.Errorf("%q", out.Stdout())
	}
	for _, s := range out.Segments {
		if !utf8.Valid(s.Data) {
			t.Errorf("a segment ends inside a character: %q", s.Data)
		}
	}
}

func TestFaultAnIncompleteCharacterAtTheEndIsKept(t *testing.T) {
	t.Parallel()
	_, out := run(t, newEngine(t), helper("split", "a€"[:3]))
	if string(bytesOf(out.Segments)) != "a€"[:3] || out.Stdout() != "a\uFFFD\uFFFD" {
		t.Errorf("%q, shown as %q", bytesOf(out.Segments), out.Stdout())
	}
}

func TestFaultWithoutALimitOneMebibyteIsKept(t *testing.T) {
	t.Parallel()
	_, out := run(t, newEngine(t), procession.Shell("head -c 3M /dev/zero; printf end"))
	got := bytesOf(out.Segments)
	if len(got) != 1<<20 || out.Dropped != 2<<20+3 || !bytes.HasSuffix(got, []byte("\x00end")) {
		t.Errorf("%d bytes retained, %d dropped", len(got), out.Dropped)
	}
}

func TestFaultUnlimitedKeepsEverything(t *testing.T) {
	t.Parallel()
	spec := procession.Shell("head -c 3M /dev/zero; printf end")
	spec.OutputLimit = procession.Unlimited
	if _, out := run(t, newEngine(t), spec); len(bytesOf(out.Segments)) != 3<<20+3 || out.Truncated() {
		t.Errorf("%d bytes retained, %d dropped", len(bytesOf(out.Segments)), out.Dropped)
	}
}

func TestFaultKillDrainsTheTail(t *testing.T) {
	t.Parallel()
	e := newEngine(t, procession.WithGrace(patience))
	const lines = 20_000
	id := start(t, e, helper("last-words", fmt.Sprint(lines)))
	awaitText(t, e, id, "ready")
	exit := must(e.Kill(within(t), id))(t)
	out := must(e.Output(within(t), id))(t)
	if exit.Code != 7 || strings.Count(out.Stdout(), "last words") != lines || !strings.HasSuffix(out.Stdout(), fmt.Sprintf("last words %d\n", lines-1)) {
		t.Errorf("%v, and %d bytes", exit, len(out.Stdout()))
	}
}

func TestFaultWaitDrainsTheTail(t *testing.T) {
	t.Parallel()
	e := newEngine(t)
	for i := range 50 {
		if _, out := run(t, e, procession.Shell("seq 1 5000; echo the end; echo and this >&2")); !strings.HasSuffix(out.Stdout(), "\n5000\nthe end\n") || out.Stderr() != "and this\n" {
			t.Fatalf("run %d: the output ends %q", i, out.Stdout()[max(0, len(out.Stdout())-20):])
		}
	}
}

func TestFaultKillEndsTheWholeTree(t *testing.T) {
	t.Parallel()
	e := newEngine(t, procession.WithGrace(500*time.Millisecond))
	id := start(t, e, helper("tree", "child", "session", "tree", "child", "session", "tree", "child"))
	awaitText(t, e, id, "grown")
	eventually(t, "the tree is told", func() bool { return strings.Contains(must(e.Output(within(t), id))(t).Stdout(), "grown\n") })
	tree := append(pids(must(e.Output(within(t), id))(t).Stdout()), info(t, e, id).PID)
	if len(tree) != 8 {
		t.Fatalf("the tree is %v", tree)
	}
	must(e.Kill(within(t), id))(t)
	for _, pid := range tree {
		if alive(pid) {
			t.Errorf("after Kill, %d of %v lives", pid, tree)
		}
	}
}

func TestFaultWhatAnEndedLeaderLeavesEndsToo(t *testing.T) {
	t.Parallel()
	e := newEngine(t)
	id := start(t, e, procession.Shell("sleep 1000 >/dev/null 2>&1 & echo pid $!"))
	must(e.Wait(within(t), id))(t)
	left := pids(must(e.Output(within(t), id))(t).Stdout())
	if len(left) != 1 {
		t.Fatal(left)
	}
	eventually(t, "what the leader left behind has ended", func() bool { return !alive(left[0]) })
}

func TestFaultGrandchildHoldingThePipeDoesNotHangWait(t *testing.T) {
	t.Parallel()
	e := newEngine(t, procession.WithGrace(patience))
	id := start(t, e, procession.Shell("sleep 1000 & echo pid $!"))
	exit, err := e.Wait(within(t), id)
	if err != nil || !exit.Success() {
		t.Fatalf("%+v, %v", exit, err)
	}
	holder := pids(must(e.Output(within(t), id))(t).Stdout())
	eventually(t, "the one that held the pipe has ended", func() bool { return len(holder) == 1 && !alive(holder[0]) })
}

func TestFaultAGrandchildThatStillWritesIsHeardOut(t *testing.T) {
	t.Parallel()
	e := newEngine(t, procession.WithGrace(patience))
	// Each pause is shorter than the drain-idle time, all of them are longer.
	_, out := run(t, e, procession.Shell("(for i in 1 2 3 4 5 6 7 8; do sleep 0.05; echo tick $i; done) & exit 0"))
	if !strings.HasSuffix(out.Stdout(), "tick 8\n") || strings.Count(out.Stdout(), "tick") != 8 {
		t.Errorf("%q", out.Stdout())
	}
}

func TestFaultAGrandchildThatNeverStopsWritingIsCutOff(t *testing.T) {
	t.Parallel()
	e := newEngine(t, procession.WithGrace(500*time.Millisecond))
	exit, _ := run(t, e, procession.Shell("yes & exit 4"))
	if exit.Code != 4 || exit.Cause != procession.CauseExited {
		t.Errorf("%+v", exit)
	}
}

func TestFaultSignalIsReported(t *testing.T) {
	t.Parallel()
	e := newEngine(t)
	for _, name := range []string{"KILL", "TERM", "SEGV", "USR1", "HUP"} {
		exit, out := run(t, e, procession.Shell("ulimit -c 0; kill -"+name+" $$; sleep 1000"))
		if exit.Signal != "SIG"+name || exit.Code != -1 || exit.Success() || exit.Cause != procession.CauseExited {
			t.Errorf("%s: %+v", name, exit)
		}
		if exit.String() != "signal: SIG"+name || out.Exit.Signal != exit.Signal {
			t.Errorf("%s: %v", name, exit)
		}
	}
}

func TestFaultIDsAreTwelveHexDigits(t *testing.T) {
	t.Parallel()
	e := newEngine(t)
	form := regexp.MustCompile(`^proc_[0-9a-f]{12}$`)
	seen := map[string]bool{}
	for range 50 {
		id := start(t, e, procession.Shell("true"))
		if !form.MatchString(id) || seen[id] {
			t.Errorf("%q", id)
		}
		seen[id] = true
	}
	for position := len("proc_"); position < len("proc_")+12; position++ {
		digits := map[byte]bool{}
		for id := range seen {
			digits[id[position]] = true
		}
		if len(digits) < 4 {
			t.Errorf("of 50 IDs, the character at %d is never another than these %d", position, len(digits))
		}
	}
}

func TestFaultShutdownReapsEverything(t *testing.T) {
	t.Parallel()
	e := newEngine(t, procession.WithGrace(time.Second))
	var tree, leaders []int
	for _, kind := range []string{"child", "session"} {
		id := start(t, e, helper("tree", kind))
		awaitText(t, e, id, "grown")
		tree = append(tree, pids(must(e.Output(within(t), id))(t).Stdout())...)
		leaders = append(leaders, info(t, e, id).PID)
	}
	for _, spec := range []procession.Spec{helper("stubborn"), procession.Shell("sleep 1000"), procession.Shell("exit 1"), procession.Shell("sleep 1000 &")} {
		leaders = append(leaders, info(t, e, start(t, e, spec)).PID)
	}
	must(e.Shutdown(within(t)))(t)
	for _, pid := range leaders {
		if state := processState(pid); state != 0 {
			t.Errorf("after Shutdown, leader %d is there, in state %c", pid, state)
		}
	}
	for _, pid := range tree {
		if alive(pid) {
			t.Errorf("after Shutdown, descendant %d lives", pid)
		}
	}
}

func TestFaultRetentionKeepsTheNewest(t *testing.T) {
	t.Parallel()
	e := newEngine(t, procession.WithRetention(3, 0))
	running := start(t, e, procession.Shell("sleep 1000"))
	var ids []string
	for range 6 {
		ids = append(ids, start(t, e, procession.Shell("echo hello")))
		must(e.Wait(within(t), ids[len(ids)-1]))(t)
	}
	eventually(t, "three and the running one are left", func() bool { return len(must(e.List(within(t)))(t)) == 4 })
	for i, id := range append(ids, running) {
		if _, err := e.Output(within(t), id); (err == nil) != (i >= 3) || err != nil && !errors.Is(err, procession.ErrNotFound) {
			t.Errorf("process %d: %v", i, err)
		}
	}
}

// One that has ended but has left something behind that is slow to end is
// forgotten late; no other is forgotten in its place.
func TestFaultRetentionForgetsNoMoreThanItMust(t *testing.T) {
	t.Parallel()
	e := newEngine(t, procession.WithRetention(2, 0), procession.WithGrace(2*time.Second))
	oldest := start(t, e, procession.Shell("trap '' TERM; sleep 1000 >/dev/null 2>&1 &"))
	ids := []string{oldest}
	must(e.Wait(within(t), oldest))(t)
	for range 2 {
		ids = append(ids, start(t, e, procession.Shell("echo hello")))
		must(e.Wait(within(t), ids[len(ids)-1]))(t)
	}
	if list := must(e.List(within(t)))(t); len(list) < 2 {
		t.Errorf("two are to be kept, and it is %d", len(list))
	}
	for _, id := range ids[1:] {
		if _, err := e.Output(within(t), id); err != nil {
			t.Errorf("one of the two newest: %v", err)
		}
	}
	eventually(t, "the oldest is forgotten", func() bool { return len(must(e.List(within(t)))(t)) == 2 })
}

func TestFaultRetentionByAge(t *testing.T) {
	t.Parallel()
	e := newEngine(t, procession.WithRetention(-1, 100*time.Millisecond))
	running, begin := start(t, e, procession.Shell("sleep 1000")), time.Now()
	for range 3 {
		must(e.Wait(within(t), start(t, e, procession.Shell("true"))))(t)
	}
	eventually(t, "only the running one is left", func() bool {
		list := must(e.List(within(t)))(t)
		return len(list) == 1 && list[0].ID == running
	})
	if time.Since(begin) < 100*time.Millisecond {
		t.Error("they were forgotten too early")
	}
}

func init() { helpers["engine-above-cat"] = helpEngineAboveCat }

// helpEngineAboveCat has an engine run a program that tells its standard input,
// and reads it to its end.
func helpEngineAboveCat() {
	ctx := backgroundWithin()
	e, err := procession.New()
	insist(err == nil, err)
	id, err := e.Start(ctx, procession.Shell("readlink /proc/self/fd/0; cat"))
	insist(err == nil, err)
	_, err = e.Wait(ctx, id)
	insist(err == nil, err)
	out, err := e.Output(ctx, id)
	insist(err == nil, err)
	_, err = e.Shutdown(ctx)
	insist(err == nil, err)
	os.Stdout.WriteString(out.Combined())
}

func TestFaultStdinIsTheNullDevice(t *testing.T) {
	t.Parallel()
	e := newEngine(t)
	spec := helper("engine-above-cat")
	spec.Stdin = true // what a child of that engine must not get to see
	id := start(t, e, spec)
	must(e.Write(within(t), id, []byte("the host's protocol\n")))(t)
	exit := must(e.Wait(within(t), id))(t)
	if out := must(e.Output(within(t), id))(t); !exit.Success() || out.Stdout() != os.DevNull+"\n" {
		t.Errorf("%v, %q", exit, out.Combined())
	}
}

func TestFaultOnlyTheStandardFilesAreInherited(t *testing.T) {
	t.Parallel()
	e := newEngine(t)
	for range 3 { // what the engine holds for these must not be seen by the next
		spec := procession.Spec{Command: "cat", Stdin: true}
		start(t, e, spec)
	}
	_, out := run(t, e, procession.Spec{Command: "ls", Args: []string{"/proc/self/fd"}})
	if out.Stdout() != "0\n1\n2\n3\n" { // 3 is the directory that ls reads
		t.Errorf("%q", out.Stdout())
	}
}

func TestFaultStdinCanBeWritten(t *testing.T) {
	t.Parallel()
	e := newEngine(t)
	id := start(t, e, procession.Spec{Command: "cat", Stdin: true})
	if n := must(e.Write(within(t), id, []byte("hello")))(t); n != 5 {
		t.Errorf("%d bytes written", n)
	}
	if err := e.CloseStdin(within(t), id); err != nil {
		t.Fatal(err)
	}
	must(e.Wait(within(t), id))(t)
	if out := must(e.Output(within(t), id))(t); out.Stdout() != "hello" {
		t.Errorf("%q", out.Stdout())
	}
}

func TestFaultOutputStreams(t *testing.T) {
	t.Parallel()
	e := newEngine(t)
	id := start(t, e, procession.Spec{Command: "cat", Stdin: true})
	i, words := 0, []string{"one", "two", "three"}
	must(e.Write(within(t), id, []byte(words[0])))(t)
	for chunk, err := range e.Follow(within(t), id, procession.ReadOptions{}) {
		if err != nil {
			t.Fatal(err)
		}
		if chunk.EOF {
			break
		}
		if got := string(bytesOf(chunk.Segments)); got != words[i] {
			t.Errorf("%q, not %q", got, words[i])
		}
		if i++; i < len(words) {
			must(e.Write(within(t), id, []byte(words[i])))(t)
		} else if err := e.CloseStdin(within(t), id); err != nil {
			t.Fatal(err)
		}
	}
	if i != len(words) {
		t.Errorf("%d chunks came while it ran", i)
	}
}

func TestFaultSignalToAStrangerIsImpossible(t *testing.T) {
	t.Parallel()
	e := newEngine(t)
	id := start(t, e, procession.Shell("sleep 1000"))
	must(e.Kill(within(t), id))(t)
	pid := info(t, e, id).PID
	if err := e.Signal(within(t), id, syscall.SIGKILL); !errors.Is(err, procession.ErrExited) {
		t.Errorf("a signal to %d, which has been reaped: %v", pid, err)
	}
}
