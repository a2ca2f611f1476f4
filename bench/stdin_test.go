//go:build linux

package bench

import (
	"bytes"
	"fmt"
	"io"
	"os/exec"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/sync/errgroup"

	"github.com/procession-go/procession"
)

// repl is a cat that is written to and read from.
type repl interface {
	// echo writes a line and returns when all of it has come back.
	echo(line []byte) error
	close() error
}

// engineCat is a cat run by the engine.
type engineCat struct {
	engine *procession.Engine
	id     string
	cursor int64
}

func newEngineCat(e *procession.Engine) (*engineCat, error) {
	id, err := e.Start(background, procession.Spec{Command: "cat", Stdin: true})
	return &engineCat{engine: e, id: id}, err
}

func (c *engineCat) echo(line []byte) error {
	if _, err := c.engine.Write(background, c.id, line); err != nil {
		return err
	}
	for end := c.cursor + int64(len(line)); c.cursor < end; {
		chunk, err := c.engine.Read(background, c.id, procession.ReadOptions{Cursor: c.cursor, Wait: -1})
		if err != nil {
			return err
		}
		if chunk.EOF {
			return io.ErrUnexpectedEOF
		}
		c.cursor = chunk.Next
	}
	return nil
}

func (c *engineCat) close() error {
	if err := c.engine.CloseStdin(background, c.id); err != nil {
		return err
	}
	if _, err := c.engine.Wait(background, c.id); err != nil {
		return err
	}
	return c.engine.Release(background, c.id)
}

// plainCat is a cat run with os/exec.
type plainCat struct {
	cmd  *exec.Cmd
	in   io.WriteCloser
	out  io.Reader
	back []byte
}

func newPlainCat() (*plainCat, error) {
	c := &plainCat{cmd: exec.Command("cat")}
	var err error
	if c.in, err = c.cmd.StdinPipe(); err != nil {
		return nil, err
	}
	if c.out, err = c.cmd.StdoutPipe(); err != nil {
		return nil, err
	}
	c.cmd.Stderr = &bytes.Buffer{}
	return c, c.cmd.Start()
}

func (c *plainCat) echo(line []byte) error {
	if _, err := c.in.Write(line); err != nil {
		return err
	}
	if len(c.back) < len(line) {
		c.back = make([]byte, len(line))
	}
	_, err := io.ReadFull(c.out, c.back[:len(line)])
	return err
}

func (c *plainCat) close() error {
	if err := c.in.Close(); err != nil {
		return err
	}
	return c.cmd.Wait()
}

// BenchmarkRoundTrip: one line through cat and back.
func BenchmarkRoundTrip(b *testing.B) {
	e := newEngine(b)
	mine, err := newEngineCat(e)
	require.NoError(b, err)
	other, err := newPlainCat()
	require.NoError(b, err)
	line := []byte("one line of text, as one types it\n")
	var engine, plain []float64
	trips := func(all *[]float64, cat repl) func() float64 {
		return func() float64 {
			const n = 200
			return nanoseconds(func() {
				for range n {
					*all = append(*all, nanoseconds(func() { check(b, cat.echo(line)) }))
				}
			}) / n
		}
	}
	compare(b, 21, side{"engine", trips(&engine, mine)}, side{"plain", trips(&plain, other)}).cost(0, "ns/trip")
	b.ReportMetric(median(engine), "p50-ns")
	b.ReportMetric(quantile(engine, 0.99), "p99-ns")
	b.ReportMetric(median(plain), "plain-p50-ns")
	b.ReportMetric(quantile(plain, 0.99), "plain-p99-ns")
	require.NoError(b, mine.close())
	require.NoError(b, other.close())
}

// BenchmarkCats: 500 cats at once, each of which echoes 600 lines of 10 KiB.
// With step, a line is written when the one before has come back; with stream,
// all are written at once, and what comes back is collected.
func BenchmarkCats(b *testing.B) {
	cats := scale(500)
	lines := 60 // of the 600: all is ten times as long
	if floodSize >= 4<<30 {
		lines = 600
	}
	line := append(bytes.Repeat([]byte("x"), 10<<10-1), '\n')
	all := bytes.Repeat(line, lines)
	name := fmt.Sprintf("cats=%d/lines=%d", cats, lines)
	perLine := func(run func() error) func() float64 {
		return func() float64 {
			return nanoseconds(func() {
				var g errgroup.Group
				for range cats {
					g.Go(run)
				}
				check(b, g.Wait())
			}) / float64(cats*lines)
		}
	}
	steps := func(c repl, err error) error {
		for range lines {
			if err == nil {
				err = c.echo(line)
			}
		}
		if err != nil {
			return err
		}
		return c.close()
	}
	b.Run(name+"/step", func(b *testing.B) {
		e := newEngine(b)
		compare(b, 3,
			side{"engine", perLine(func() error { c, err := newEngineCat(e); return steps(c, err) })},
			side{"plain", perLine(func() error { c, err := newPlainCat(); return steps(c, err) })},
		).speed(0, "ns/line")
	})
	b.Run(name+"/stream", func(b *testing.B) {
		e := newEngine(b)
		compare(b, 3,
			side{"engine", perLine(func() error {
				c, err := newEngineCat(e)
				if err != nil {
					return err
				}
				if _, err := e.Write(background, c.id, all); err != nil {
					return err
				}
				return c.close()
			})},
			side{"plain", perLine(func() error {
				var stdout, stderr bytes.Buffer
				cmd := exec.Command("cat")
				cmd.Stdin, cmd.Stdout, cmd.Stderr = bytes.NewReader(all), &stdout, &stderr
				return cmd.Run()
			})},
		).speed(0, "ns/line")
	})
}
