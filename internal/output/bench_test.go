package output

import (
	"fmt"
	"os"
	"testing"

	"github.com/stretchr/testify/require"
)

func BenchmarkAppend(b *testing.B) {
	for _, size := range []int{20, 4096, maxBlock} {
		b.Run(fmt.Sprintf("%dB", size), func(b *testing.B) {
			l, out := NewLog(1<<20), NewBuffer(Stdout)
			b.SetBytes(int64(size))
			b.ReportAllocs()
			for b.Loop() {
				for left := size; left > 0; {
					n := min(left, len(out.Free()))
					left -= n
					if s, ok := out.Filled(n); ok {
						l.Append(s)
					}
				}
			}
		})
	}
}

// Streams that alternate: no two slices merge.
func BenchmarkAppendAlternating(b *testing.B) {
	l, bufs := NewLog(1<<20), [2]*Buffer{NewBuffer(Stdout), NewBuffer(Stderr)}
	b.SetBytes(20)
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		out := bufs[i%2]
		if s, ok := out.Filled(min(20, len(out.Free()))); ok {
			l.Append(s)
		}
	}
}

func BenchmarkSegments(b *testing.B) {
	for _, streams := range []int{1, 2} {
		b.Run(fmt.Sprintf("streams=%d", streams), func(b *testing.B) {
			l, bufs := NewLog(1<<20), [2]stream{newStream(Stdout), newStream(Stderr)}
			for i := 0; l.First() == 0; i++ {
				bufs[i%streams].read([]byte("a line of 40 bytes, like many lines are\n"), appendTo(l))
			}
			b.ReportAllocs()
			for b.Loop() {
				segments := make([]Segment, 0, l.Count(0, 0))
				for s := range l.Segments(0, 0) {
					segments = append(segments, s)
				}
			}
			b.ReportMetric(float64(l.Count(0, 0)), "segments")
		})
	}
}

// From a pipe, as a flood arrives.
func BenchmarkPipe(b *testing.B) {
	for _, size := range []int{100, 4096, 5000, 32 << 10, maxBlock} {
		b.Run(fmt.Sprintf("writes=%dB", size), func(b *testing.B) {
			r, w, err := os.Pipe()
			require.NoError(b, err)
			defer r.Close()
			go func() {
				p := make([]byte, size)
				for {
					if _, err := w.Write(p); err != nil {
						return
					}
				}
			}()
			l, out, bytes, reads := NewLog(1<<20), NewBuffer(Stdout), 0, 0
			b.ReportAllocs()
			for b.Loop() {
				for got := 0; got < 1<<20; {
					n, err := r.Read(out.Free())
					require.NoError(b, err)
					if s, ok := out.Filled(n); ok {
						l.Append(s)
					}
					got, bytes, reads = got+n, bytes+n, reads+1
				}
			}
			b.SetBytes(1 << 20)
			b.ReportMetric(float64(bytes)/float64(reads), "B/read")
		})
	}
}
