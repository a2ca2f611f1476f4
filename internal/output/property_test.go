package output

import (
	"bytes"
	"math"
	"slices"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

// model is the log as plain bytes that are never dropped, and offsets.
type model struct {
	limit  int
	bytes  []byte
	stream []Stream
	inside []bool // by offset: a cut there would split a character
	first  int
	marks  []int
}

// torn tells, by stream, whether the last byte before first of the same incarnation is no
// newline.
func (m *model) torn() (torn [2]bool) {
	begins := 0
	for _, at := range m.marks {
		if at <= m.first {
			begins = at
		}
	}
	for s := range torn {
		for i := m.first - 1; i >= begins; i-- {
			if m.stream[i] == Stream(s) {
				torn[s] = m.bytes[i] != '\n'
				break
			}
		}
	}
	return torn
}

// append adds a slice that was handed over; a character is always in one.
func (m *model) append(s Stream, p []byte) {
	m.bytes = append(m.bytes, p...)
	for range p {
		m.stream = append(m.stream, s)
	}
	m.inside = append(m.inside, insides(p)...)
	if m.limit > 0 {
		m.first = max(m.first, m.forward(len(m.bytes)-m.limit))
	}
}

func (m *model) forward(cut int) int {
	for cut > 0 && cut < len(m.bytes) && m.inside[cut] {
		cut++
	}
	return cut
}

// read is where Segments must start, and where it may end: a character that a Flush has torn
// may be whole again, if its pieces lie side by side.
func (m *model) read(from, most int) (start int, ends []int) {
	start = min(max(from, m.first), len(m.bytes))
	end := len(m.bytes)
	if most <= 0 || most >= end-start {
		return start, []int{end}
	}
	end = start + most
	return start, []int{cutOutside(m.inside, start, end), cutOutside(m.joined(), start, end)}
}

// cutOutside is end, or before it where no character is split.
func cutOutside(inside []bool, start, end int) int {
	cut := end
	for cut > start && inside[cut] {
		cut--
	}
	if inside[cut] || cut == start { // the character began before, or is the first
		return end
	}
	return cut
}

// joined is inside, of characters whose pieces came one behind the other.
func (m *model) joined() (inside []bool) {
	for at := 0; at < len(m.bytes); {
		end := at
		for end < len(m.bytes) && m.stream[end] == m.stream[at] {
			end++
		}
		inside = append(inside, insides(m.bytes[at:end])...)
		at = end
	}
	return inside
}

// source is a stream of the process and what a reader of it has to do.
type source struct {
	*Buffer
	unread, held []byte
}

// fragments of output: text, blanks, what is no text, and beginnings of what
// could be.
var fragments = rapid.OneOf(
	rapid.SampledFrom([]string{
		"a", " ", "\n", "\r\n", "é", "€", "😀", "\ufffd", "plain text\n", "  ein Süßes €uro 😀😀\n",
		"\x80", "\x80\x80\x80\x80\x80", "\xff", "\xc3", "\xe2\x82", "\xf0\x9f\x98", "\xed\xa0\x80", "\xc0\xaf", "\x00",
	}),
	rapid.String(),
	rapid.StringOf(rapid.RuneFrom([]rune("aé€😀"))),
	rapid.Map(rapid.SliceOfN(rapid.Byte(), 0, 50), func(p []byte) string { return string(p) }),
	rapid.Map(rapid.IntRange(1, 40), func(n int) string { return string(bytes.Repeat([]byte("flood €😀"), n*n)) }),
)

func TestLogIsAsTheModel(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		limit := rapid.OneOf(
			rapid.Just(-1), rapid.IntRange(1, 10), rapid.IntRange(11, 3000), rapid.IntRange(3000, 200_000),
		).Draw(t, "limit")
		var (
			l       = NewLog(int64(limit))
			m       = &model{limit: limit}
			sources [2]*source
			shown   snapshot
			awaited bool
		)
		for i := range sources {
			sources[i] = &source{Buffer: NewBuffer(Stream(i))}
			sources[i].size = rapid.SampledFrom([]int{minBlock, minBlock, maxBlock}).Draw(t, "first block")
		}
		any := func() *source { return sources[rapid.IntRange(0, 1).Draw(t, "stream")] }
		push := func(s Slice, ok bool, want []byte, stream Stream) {
			if !ok {
				require.Empty(t, want, "it is held back")
				return
			}
			require.True(t, bytes.Equal(s.bytes(), want), "handed over %q, want %q", s.bytes(), want)
			require.Equal(t, awaited, l.Append(s), "who awaits is told")
			awaited = false
			m.append(stream, want)
			if limit > 0 {
				require.LessOrEqual(t, l.End()-l.First(), int64(limit))
			}
		}
		read := func(s *source, most int) {
			free := s.Free()
			n := min(len(free), len(s.unread), most)
			copy(free, s.unread[:n])
			s.held, s.unread = append(s.held, s.unread[:n]...), s.unread[n:]
			want := bytes.Clone(s.held[:wholes(s.held)])
			s.held = bytes.Clone(s.held[len(want):])
			slice, ok := s.Filled(n)
			push(slice, ok, want, s.stream)
		}
		actions := map[string]func(*rapid.T){
			"write": func(t *rapid.T) {
				for range rapid.IntRange(1, 5).Draw(t, "fragments") {
					s := any()
					s.unread = append(s.unread, fragments.Draw(t, "fragment")...)
				}
			},
			"short reads": func(t *rapid.T) {
				for range rapid.IntRange(1, 10).Draw(t, "reads") {
					read(any(), rapid.IntRange(0, 5).Draw(t, "most"))
				}
			},
			"reads": func(t *rapid.T) {
				for range rapid.IntRange(1, 5).Draw(t, "reads") {
					read(any(), rapid.IntRange(0, maxBlock).Draw(t, "most"))
				}
			},
			"reads to the end": func(t *rapid.T) {
				for s := any(); len(s.unread) > 0; {
					read(s, maxBlock)
				}
			},
			"idle": func(t *rapid.T) { any().Idle() },
			"flush": func(t *rapid.T) {
				s := any()
				want := s.held
				s.held = nil
				slice, ok := s.Flush()
				push(slice, ok, want, s.stream)
			},
			"mark": func(t *rapid.T) {
				l.Begin()
				m.marks = append(m.marks, len(m.bytes))
			},
			"await": func(t *rapid.T) {
				from := rapid.Int64Range(0, l.End()).Draw(t, "from")
				require.Equal(t, from < l.End(), l.Await(from), "awaiting %d of %d", from, l.End())
				awaited = from == l.End()
			},
			"segments": func(t *rapid.T) {
				from := rapid.IntRange(min(m.first, len(m.bytes)-20), len(m.bytes)+1).Draw(t, "from")
				if rapid.Bool().Draw(t, "all") {
					from = rapid.SampledFrom([]int{-1, math.MinInt}).Draw(t, "before")
				}
				most := rapid.OneOf(rapid.Just(0), rapid.IntRange(1, 8), rapid.IntRange(1, 5000), rapid.Int()).Draw(t, "max")
				segments := shown.take(l, int64(from), most)
				n := l.Count(int64(from), most)
				require.LessOrEqual(t, len(segments), n, "segments, and what Count says")
				require.LessOrEqual(t, n, len(segments)+1, "what Count says")
				if most == 0 {
					require.Equal(t, len(segments), n, "what Count says of all")
				}
				at, ends := m.read(from, most)
				var torn [2]bool
				if from < m.first {
					torn = m.torn()
				}
				for _, s := range segments {
					require.Equal(t, torn, s.Torn, "at %d", s.Offset)
					torn = [2]bool{}
					isSegment(t, s, int64(at))
					to := at + len(s.Data)
					require.LessOrEqual(t, to, slices.Max(ends), "the end of a segment")
					require.True(t, bytes.Equal(s.Data, m.bytes[at:to]), "the bytes [%d, %d) are wrong", at, to)
					other := slices.IndexFunc(m.stream[at:to], func(of Stream) bool { return of != s.Stream })
					require.Equal(t, -1, other, "a byte of the segment at %d is of the wrong stream", at)
					at = to
				}
				require.Contains(t, ends, at, "the end of the segments")
			},
			"": func(t *rapid.T) {
				if l.First() != int64(m.first) { // without the rest of a character that a Flush has torn
					for joined := m.joined(); m.first > 0 && m.first < len(joined) && joined[m.first]; {
						m.first++
					}
				}
				require.EqualValues(t, m.first, l.First())
				require.EqualValues(t, len(m.bytes), l.End())
			},
		}
		for range 5 { // a process that has written nothing yet is soon boring
			t.Repeat(actions)
		}
		shown.check(t)
	})
}

func FuzzLog(f *testing.F) {
	f.Add([]byte("one\ntwo\n"), []byte("err\n"), []byte{1, 2, 0x83}, uint16(5))
	f.Add([]byte(mixed), []byte("aé€😀"), []byte{1, 1, 1, 0x81, 0x81, 2, 2, 0x83}, uint16(9))
	f.Add([]byte("\xf0\x9f\x98"), []byte("\xe2\x82"), []byte{1, 0x81, 1, 0x81}, uint16(1))
	f.Add(bytes.Repeat([]byte("€"), 2000), bytes.Repeat([]byte{0x80}, 3000), []byte{0x7f, 0xff, 0x40}, uint16(1000))
	f.Fuzz(func(t *testing.T, out, err, cuts []byte, limit uint16) {
		input := [2][]byte{out, err}
		text := utf8.Valid(out) && utf8.Valid(err)
		all, few := NewLog(-1), NewLog(int64(limit)+1)
		for _, l := range []*Log{all, few} {
			readers, unread := [2]stream{newStream(Stdout), newStream(Stderr)}, input
			push := func(s Slice) {
				l.Append(s)
				if max := l.Limit(); max > 0 {
					require.LessOrEqual(t, l.End()-l.First(), max)
				}
			}
			for i := 0; len(unread[0])+len(unread[1]) > 0; i++ {
				s, n := i%2, 1<<20
				if i < len(cuts) {
					s, n = int(cuts[i]>>7), int(cuts[i]&0x7f)
				}
				n = min(n, len(unread[s]))
				readers[s].read(unread[s][:n], push)
				unread[s] = unread[s][n:]
			}
			for _, r := range readers {
				r.flush(push)
			}
		}

		var got [2][]byte
		for s := range all.Segments(0, 0) {
			got[s.Stream] = append(got[s.Stream], s.Data...)
		}
		for s := range got {
			assert.True(t, bytes.Equal(got[s], input[s]), "stream %d: %q, want %q", s, got[s], input[s])
		}
		for _, l := range []*Log{all, few} {
			for s := range l.Segments(0, 0) {
				if text {
					assert.True(t, utf8.Valid(s.Data), "%q at %d splits a character", s.Data, s.Offset)
				}
			}
		}
		assert.Equal(t, combined(all, few.First(), 0), combined(few, 0, 0), "what is retained")
	})
}
