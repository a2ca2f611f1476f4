//go:build linux

package procession_test

import (
	"bufio"
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/procession-go/procession"
)

func withStdin(spec procession.Spec) procession.Spec {
	spec.Stdin = true
	return spec
}

func TestFiftyMegabytesThroughCatComeBackExact(t *testing.T) {
	const size = 50_000_000
	e := newEngine(t)
	spec := withStdin(procession.Spec{Command: "cat"})
	spec.OutputLimit = procession.Unlimited
	id := start(t, e, spec)
	data := make([]byte, size)
	source := rand.NewChaCha8([32]byte{1})
	source.Read(data)
	written := make(chan error, 1)
	go func() {
		n, err := e.Write(within(t), id, data)
		if err == nil && n != size {
			err = fmt.Errorf("wrote %d", n)
		}
		if err == nil {
			err = e.CloseStdin(within(t), id)
		}
		written <- err
	}()
	answers := 0
	for done := false; !done; answers++ {
		select {
		case err := <-written:
			if err != nil {
				t.Fatal(err)
			}
			done = true
		default:
			info(t, e, id)
		}
	}
	if exit := must(e.Wait(within(t), id))(t); !exit.Success() {
		t.Fatal(exit)
	}
	sum := sha256.New()
	for _, s := range must(e.Output(within(t), id))(t).Segments {
		sum.Write(s.Data)
	}
	if want := sha256.Sum256(data); !bytes.Equal(sum.Sum(nil), want[:]) {
		t.Error("what came back is not what was written")
	}
	t.Logf("Info was answered %d times meanwhile", answers)
	if answers < 10 {
		t.Errorf("Info was answered only %d times meanwhile", answers)
	}
}

func TestWritesAreInOrderWhoeverSends(t *testing.T) {
	e := newEngine(t)
	spec := withStdin(procession.Spec{Command: "cat"})
	spec.OutputLimit = procession.Unlimited
	id := start(t, e, spec)
	const writers, lines = 8, 50
	body := strings.Repeat("x", 9000) // more than PIPE_BUF: not atomic by itself
	var group sync.WaitGroup
	for w := range writers {
		group.Go(func() {
			for i := range lines {
				if _, err := e.Write(within(t), id, fmt.Appendf(nil, "%d %d %s\n", w, i, body)); err != nil {
					t.Error(err)
					return
				}
			}
		})
	}
	next := map[int]int{}
	out, pipe := io.Pipe()
	reader := bufio.NewReader(out)
	go func() {
		for chunk, err := range e.Follow(within(t), id, procession.ReadOptions{}) {
			if err != nil || chunk.Dropped > 0 {
				pipe.CloseWithError(fmt.Errorf("%v, %d dropped", err, chunk.Dropped))
				return
			}
			for _, s := range chunk.Segments {
				pipe.Write(s.Data)
			}
		}
		pipe.Close()
	}()
	for range writers * lines {
		var w, i int
		var rest string
		if _, err := fmt.Fscanf(reader, "%d %d %s\n", &w, &i, &rest); err != nil || rest != body || next[w] != i {
			t.Fatalf("writer %d line %d (want %d): %v", w, i, next[w], err)
		}
		next[w]++
	}
	group.Wait()
	if err := e.CloseStdin(within(t), id); err != nil {
		t.Fatal(err)
	}
	io.Copy(io.Discard, reader)
}

func TestAProcessThatDoesNotReadBlocksOnlyTheWriter(t *testing.T) {
	e := newEngine(t)
	id := start(t, e, withStdin(procession.Spec{Command: "sleep", Args: []string{"1000"}}))
	ctx, cancel := context.WithCancel(within(t))
	data := make([]byte, 3<<20)
	type result struct {
		n   int
		err error
	}
	results := make(chan result, 2)
	write := func() {
		n, err := e.Write(ctx, id, data)
		results <- result{n, err}
	}
	go write()
	go write()
	written := awaitBlocked(t, e, id)
	for range 20 {
		info(t, e, id) // is answered
	}
	select {
	case r := <-results:
		t.Fatalf("a write of 3 MiB to a process that does not read has returned: %+v", r)
	default:
	}
	cancel()
	total := written
	for range 2 {
		r := <-results
		if !errors.Is(r.err, context.Canceled) || r.n >= len(data) {
			t.Errorf("%+v", r)
		}
		total += r.n
	}
	if total == 0 || total > 1<<20 {
		t.Errorf("%d bytes are in a pipe", total)
	}
	// The next writer has its turn, and is freed by its own context.
	brief, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if n, err := e.Write(brief, id, []byte("x")); n != 0 || !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("%d, %v", n, err)
	}
}

func TestAWriterIsFreedWhenTheProcessEnds(t *testing.T) {
	e := newEngine(t)
	id := start(t, e, withStdin(procession.Spec{Command: "sleep", Args: []string{"1000"}}))
	results := make(chan error, 2)
	for range 2 {
		go func() {
			_, err := e.Write(within(t), id, make([]byte, 1<<20))
			results <- err
		}()
	}
	must(e.Kill(within(t), id))(t)
	for range 2 {
		if err := <-results; !errors.Is(err, procession.ErrStdinClosed) {
			t.Error(err)
		}
	}
}

func TestCloseStdinComesAfterWhatWasWritten(t *testing.T) {
	e := newEngine(t)
	id := start(t, e, withStdin(procession.Shell("sleep 0.2; wc -c")))
	data := bytes.Repeat([]byte("a"), 300_000) // does not fit into the pipe
	var writers sync.WaitGroup
	writers.Go(func() {
		if n, err := e.Write(within(t), id, data); n != len(data) || err != nil {
			t.Errorf("%d, %v", n, err)
		}
	})
	size := len(data) + awaitBlocked(t, e, id)
	for range 2 { // again is no error
		if err := e.CloseStdin(within(t), id); err != nil {
			t.Error(err)
		}
	}
	writers.Wait()
	must(e.Wait(within(t), id))(t)
	if out := must(e.Output(within(t), id))(t); strings.TrimSpace(out.Stdout()) != strconv.Itoa(size) {
		t.Errorf("%q", out.Stdout())
	}
}

// awaitBlocked waits until a write to the process is under way: others then do not
// get their turn. It answers how many bytes it has written itself.
func awaitBlocked(t *testing.T, e *procession.Engine, id string) (written int) {
	t.Helper()
	eventually(t, "a write is under way", func() bool {
		ctx, cancel := context.WithTimeout(context.Background(), 5*time.Millisecond)
		defer cancel()
		n, err := e.Write(ctx, id, []byte("b"))
		written += n
		return errors.Is(err, context.DeadlineExceeded)
	})
	return written
}

func TestWritingWhereNothingReads(t *testing.T) {
	e := newEngine(t)
	none := start(t, e, procession.Spec{Command: "sleep", Args: []string{"1000"}})
	ended := start(t, e, withStdin(procession.Spec{Command: "true"}))
	must(e.Wait(within(t), ended))(t)
	closed := start(t, e, withStdin(procession.Spec{Command: "sleep", Args: []string{"1000"}}))
	if err := e.CloseStdin(within(t), closed); err != nil {
		t.Fatal(err)
	}
	// It has closed its end itself: SIGPIPE would end this program.
	broken := start(t, e, withStdin(procession.Shell("exec <&-; echo closed; sleep 1000")))
	must(e.WaitFor(within(t), broken, regexp.MustCompile("closed")))(t)
	for name, id := range map[string]string{"no stdin": none, "ended": ended, "closed": closed, "broken": broken} {
		if n, err := e.Write(within(t), id, []byte("x")); n != 0 || !errors.Is(err, procession.ErrStdinClosed) {
			t.Errorf("%s: %d, %v", name, n, err)
		}
	}
	if err := e.CloseStdin(within(t), none); !errors.Is(err, procession.ErrStdinClosed) {
		t.Errorf("closing what was never open: %v", err)
	}
}

func TestAHundredREPLsAtOnce(t *testing.T) {
	e := newEngine(t)
	var group sync.WaitGroup
	for i := range 100 {
		group.Go(func() {
			id := start(t, e, withStdin(procession.Shell(`while read -r line; do echo "$((line * 2))"; done`)))
			cursor := int64(0)
			for n := range 20 {
				if _, err := e.Write(within(t), id, fmt.Appendf(nil, "%d\n", i*1000+n)); err != nil {
					t.Error(err)
					return
				}
				var answer []byte
				for !bytes.HasSuffix(answer, []byte("\n")) {
					chunk, err := e.Read(within(t), id, procession.ReadOptions{Cursor: cursor, Wait: patience})
					if err != nil || chunk.EOF {
						t.Errorf("%+v, %v", chunk, err)
						return
					}
					cursor = chunk.Next
					for _, s := range chunk.Segments {
						answer = append(answer, s.Data...)
					}
				}
				if want := fmt.Sprintf("%d\n", 2*(i*1000+n)); string(answer) != want {
					t.Errorf("%q, want %q", answer, want)
				}
			}
			if err := e.CloseStdin(within(t), id); err != nil {
				t.Error(err)
			}
			if exit, err := e.Wait(within(t), id); err != nil || exit.Signal != "" {
				t.Errorf("%v, %v", exit, err)
			}
		})
	}
	group.Wait()
}

func TestPythonREPLThroughPipes(t *testing.T) {
	e := newEngine(t)
	spec := withStdin(procession.Spec{Command: "python3", Args: []string{"-i", "-q"}})
	id := start(t, e, spec)
	must(e.WaitFor(within(t), id, regexp.MustCompile(`^>>> $`)))(t)
	must(e.Write(within(t), id, []byte("print(6*7)\n")))(t)
	if line := must(e.WaitFor(within(t), id, regexp.MustCompile(`^42$`)))(t); line != "42" {
		t.Errorf("%q", line)
	}
	if err := e.CloseStdin(within(t), id); err != nil {
		t.Fatal(err)
	}
	if exit := must(e.Wait(within(t), id))(t); !exit.Success() {
		t.Error(exit)
	}
}

func TestAWriteThatFailsTellsHowMuchWasWritten(t *testing.T) {
	t.Parallel()
	e := newEngine(t)
	const size = 1 << 20
	for name, line := range map[string]string{
		"it reads no more": "head -c 100000 >/dev/null; exec <&-; exec sleep 1000",
		"it has ended":     "head -c 100000 >/dev/null",
	} {
		id := start(t, e, withStdin(procession.Shell(line)))
		n, err := e.Write(within(t), id, make([]byte, size))
		if n < 100000 || n >= size || !errors.Is(err, procession.ErrStdinClosed) {
			t.Errorf("%s: wrote %d: %v", name, n, err)
		}
		if n, err := e.Write(within(t), id, []byte("more")); n != 0 || !errors.Is(err, procession.ErrStdinClosed) {
			t.Errorf("%s: wrote %d more: %v", name, n, err)
		}
	}
}
