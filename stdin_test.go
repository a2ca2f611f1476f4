//go:build linux

package procession_test

import (
	"bufio"
	"bytes"
	"context"
	"crypto/sha256"
	"fmt"
	"io"
	"math/rand/v2"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/procession-go/procession"
	"github.com/procession-go/procession/internal/testkit"
	"github.com/procession-go/procession/internal/testkit/enginetest"
)

// withStdin is a spec whose process can be written to.
func withStdin(spec procession.Spec) procession.Spec {
	spec.Stdin = true
	return spec
}

// write writes a text to a process, which must take all of it.
func write(t testing.TB, e *procession.Engine, id, text string) {
	t.Helper()
	n, err := e.Write(testkit.Within(t), id, []byte(text))
	require.NoError(t, err)
	require.Equal(t, len(text), n)
}

func TestFiftyMegabytesThroughCatComeBackExact(t *testing.T) {
	const size = 50_000_000
	e := enginetest.New(t)
	spec := withStdin(procession.Spec{Command: "cat"})
	spec.OutputLimit = procession.Unlimited
	id := enginetest.Start(t, e, spec)
	data := make([]byte, size)
	source := rand.NewChaCha8([32]byte{1})
	source.Read(data)
	written := make(chan bool)
	go func() {
		defer close(written)
		n, err := e.Write(testkit.Within(t), id, data)
		assert.NoError(t, err)
		assert.Equal(t, size, n)
		assert.NoError(t, e.CloseStdin(testkit.Within(t), id))
	}()
	answers := 0
	for done := false; !done; answers++ {
		select {
		case <-written:
			done = true
		default:
			enginetest.Info(t, e, id)
		}
	}
	exit := enginetest.Wait(t, e, id)
	require.True(t, exit.Success(), exit)
	sum := sha256.New()
	for _, s := range enginetest.Output(t, e, id).Segments {
		sum.Write(s.Data)
	}
	assert.Equal(t, sha256.Sum256(data), [32]byte(sum.Sum(nil)), "what came back, as what was written")
	t.Logf("Info was answered %d times meanwhile", answers)
	assert.GreaterOrEqual(t, answers, 10, "times Info was answered meanwhile")
}

func TestWritesAreInOrderWhoeverSends(t *testing.T) {
	e := enginetest.New(t)
	spec := withStdin(procession.Spec{Command: "cat"})
	spec.OutputLimit = procession.Unlimited
	id := enginetest.Start(t, e, spec)
	const writers, lines = 8, 50
	body := strings.Repeat("x", 9000) // more than PIPE_BUF: not atomic by itself
	var group sync.WaitGroup
	for w := range writers {
		group.Go(func() {
			for i := range lines {
				_, err := e.Write(testkit.Within(t), id, fmt.Appendf(nil, "%d %d %s\n", w, i, body))
				if !assert.NoError(t, err) {
					return
				}
			}
		})
	}
	next := map[int]int{}
	out, pipe := io.Pipe()
	reader := bufio.NewReader(out)
	go func() {
		for chunk, err := range e.Follow(testkit.Within(t), id, procession.ReadOptions{}) {
			if err == nil && chunk.Dropped > 0 {
				err = fmt.Errorf("%d bytes were dropped", chunk.Dropped)
			}
			if err != nil {
				pipe.CloseWithError(err)
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
		_, err := fmt.Fscanf(reader, "%d %d %s\n", &w, &i, &rest)
		require.NoError(t, err, "writer %d, line %d", w, i)
		require.Equal(t, next[w], i, "the next line of writer %d", w)
		require.True(t, rest == body, "writer %d, line %d: torn", w, i)
		next[w]++
	}
	group.Wait()
	require.NoError(t, e.CloseStdin(testkit.Within(t), id))
	io.Copy(io.Discard, reader)
}

func TestAProcessThatDoesNotReadBlocksOnlyTheWriter(t *testing.T) {
	e := enginetest.New(t)
	id := enginetest.Start(t, e, withStdin(procession.Spec{Command: "sleep", Args: []string{"1000"}}))
	ctx, cancel := context.WithCancel(testkit.Within(t))
	data := make([]byte, 3<<20)
	type result struct {
		n   int
		err error
	}
	results := make(chan result, 2)
	for range 2 {
		go func() {
			n, err := e.Write(ctx, id, data)
			results <- result{n, err}
		}()
	}
	written := awaitBlocked(t, e, id)
	for range 20 {
		enginetest.Info(t, e, id) // is answered
	}
	select {
	case r := <-results:
		require.Fail(t, "a write of 3 MiB to a process that does not read has returned", "%+v", r)
	default:
	}
	cancel()
	total := written
	for range 2 {
		r := <-results
		assert.ErrorIs(t, r.err, context.Canceled)
		assert.Less(t, r.n, len(data))
		total += r.n
	}
	assert.Positive(t, total, "bytes in a pipe")
	assert.LessOrEqual(t, total, 1<<20, "bytes in a pipe")
	// The next writer has its turn, and is freed by its own context.
	brief, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	n, err := e.Write(brief, id, []byte("x"))
	assert.ErrorIs(t, err, context.DeadlineExceeded)
	assert.Zero(t, n)
}

func TestAWriterIsFreedWhenTheProcessEnds(t *testing.T) {
	e := enginetest.New(t)
	id := enginetest.Start(t, e, withStdin(procession.Spec{Command: "sleep", Args: []string{"1000"}}))
	results := make(chan error, 2)
	for range 2 {
		go func() {
			_, err := e.Write(testkit.Within(t), id, make([]byte, 1<<20))
			results <- err
		}()
	}
	enginetest.Kill(t, e, id)
	for range 2 {
		assert.ErrorIs(t, <-results, procession.ErrStdinClosed)
	}
}

func TestCloseStdinComesAfterWhatWasWritten(t *testing.T) {
	e := enginetest.New(t)
	id := enginetest.Start(t, e, withStdin(procession.Shell("sleep 0.2; wc -c")))
	data := bytes.Repeat([]byte("a"), 300_000) // does not fit into the pipe
	var writers sync.WaitGroup
	writers.Go(func() {
		n, err := e.Write(testkit.Within(t), id, data)
		assert.NoError(t, err)
		assert.Equal(t, len(data), n)
	})
	size := len(data) + awaitBlocked(t, e, id)
	for range 2 { // again is no error
		assert.NoError(t, e.CloseStdin(testkit.Within(t), id))
	}
	writers.Wait()
	enginetest.Wait(t, e, id)
	assert.Equal(t, strconv.Itoa(size), strings.TrimSpace(enginetest.Output(t, e, id).Stdout()))
}

// awaitBlocked waits until a write to the process is under way: others then do not
// get their turn. It answers how many bytes it has written itself.
func awaitBlocked(t *testing.T, e *procession.Engine, id string) (written int) {
	t.Helper()
	testkit.Eventually(t, func(c *assert.CollectT) {
		ctx, cancel := context.WithTimeout(context.Background(), 5*time.Millisecond)
		defer cancel()
		n, err := e.Write(ctx, id, []byte("b"))
		written += n
		assert.ErrorIs(c, err, context.DeadlineExceeded, "no write is under way")
	})
	return written
}

func TestWritingWhereNothingReads(t *testing.T) {
	e := enginetest.New(t)
	none := enginetest.Start(t, e, procession.Spec{Command: "sleep", Args: []string{"1000"}})
	ended := enginetest.Start(t, e, withStdin(procession.Spec{Command: "true"}))
	enginetest.Wait(t, e, ended)
	closed := enginetest.Start(t, e, withStdin(procession.Spec{Command: "sleep", Args: []string{"1000"}}))
	require.NoError(t, e.CloseStdin(testkit.Within(t), closed))
	// It has closed its end itself: SIGPIPE would end this program.
	broken := enginetest.Start(t, e, withStdin(procession.Shell("exec <&-; echo closed; sleep 1000")))
	findLine(t, e, broken, "closed")
	for name, id := range map[string]string{"no stdin": none, "ended": ended, "closed": closed, "broken": broken} {
		n, err := e.Write(testkit.Within(t), id, []byte("x"))
		assert.ErrorIs(t, err, procession.ErrStdinClosed, name)
		assert.Zero(t, n, name)
	}
	err := e.CloseStdin(testkit.Within(t), none)
	assert.ErrorIs(t, err, procession.ErrStdinClosed, "closing what was never open")
}

func TestAHundredREPLsAtOnce(t *testing.T) {
	e := enginetest.New(t)
	var group sync.WaitGroup
	for i := range 100 {
		group.Go(func() {
			id, err := e.Start(testkit.Within(t), withStdin(procession.Shell(`while read -r line; do echo "$((line * 2))"; done`)))
			if !assert.NoError(t, err) {
				return
			}
			cursor := int64(0)
			for n := range 20 {
				_, err := e.Write(testkit.Within(t), id, fmt.Appendf(nil, "%d\n", i*1000+n))
				if !assert.NoError(t, err) {
					return
				}
				var answer []byte
				for !bytes.HasSuffix(answer, []byte("\n")) {
					chunk, err := e.Read(testkit.Within(t), id, procession.ReadOptions{Cursor: cursor, Wait: testkit.Patience})
					if !assert.NoError(t, err) || !assert.False(t, chunk.EOF, "%+v", chunk) {
						return
					}
					cursor = chunk.Next
					for _, s := range chunk.Segments {
						answer = append(answer, s.Data...)
					}
				}
				assert.Equal(t, fmt.Sprintf("%d\n", 2*(i*1000+n)), string(answer))
			}
			assert.NoError(t, e.CloseStdin(testkit.Within(t), id))
			exit, err := e.Wait(testkit.Within(t), id)
			assert.NoError(t, err)
			assert.Empty(t, exit.Signal)
		})
	}
	group.Wait()
}

func TestPythonREPLThroughPipes(t *testing.T) {
	e := enginetest.New(t)
	spec := withStdin(procession.Spec{Command: "python3", Args: []string{"-i", "-q"}})
	id := enginetest.Start(t, e, spec)
	findLine(t, e, id, `^>>> $`)
	write(t, e, id, "print(6*7)\n")
	assert.Equal(t, "42", findLine(t, e, id, `^42$`))
	require.NoError(t, e.CloseStdin(testkit.Within(t), id))
	exit := enginetest.Wait(t, e, id)
	assert.True(t, exit.Success(), exit)
}

func TestAWriteThatFailsTellsHowMuchWasWritten(t *testing.T) {
	t.Parallel()
	e := enginetest.New(t)
	const size = 1 << 20
	for name, line := range map[string]string{
		"it reads no more": "head -c 100000 >/dev/null; exec <&-; exec sleep 1000",
		"it has ended":     "head -c 100000 >/dev/null",
	} {
		id := enginetest.Start(t, e, withStdin(procession.Shell(line)))
		n, err := e.Write(testkit.Within(t), id, make([]byte, size))
		assert.ErrorIs(t, err, procession.ErrStdinClosed, name)
		assert.GreaterOrEqual(t, n, 100000, "%s: bytes written", name)
		assert.Less(t, n, size, "%s: bytes written", name)
		n, err = e.Write(testkit.Within(t), id, []byte("more"))
		assert.ErrorIs(t, err, procession.ErrStdinClosed, name)
		assert.Zero(t, n, "%s: bytes written then", name)
	}
}
