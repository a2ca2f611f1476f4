package plaintext

import (
	"strings"
	"testing"
)

func BenchmarkString(b *testing.B) {
	for _, bm := range []struct{ name, text string }{
		{"plain", strings.Repeat("a line of text as a program prints it, without any colour\n", 20_000)},
		{"plain unicode", strings.Repeat("Zeile mit Umlauten: äöüß, und ein Häkchen ✓ für alles\n", 20_000)},
		{"crlf", strings.Repeat("a line of text as a terminal passes it, without any colour\r\n", 20_000)},
		{"coloured", strings.Repeat("\x1b[1m\x1b[92m   Compiling\x1b[0m a-package v1.2.3 (/home/user/a-package)\r\n", 20_000)},
		{"4000 redraws", strings.Repeat("\rReceiving objects:  50% (2000/4000), 2.01 MiB | 3.80 MiB/s", 4000) + "\n"},
		{"4000 redraws, wide", strings.Repeat("\r\x1b[32m━━━━━━━━━━━━━━━━━━━━\x1b[0m 3.0/6.0 MB 24.3 MB/s eta 0:00:01", 4000) + "\n"},
		{"4000 redraws of 3 lines", strings.Repeat("\x1b[2K one  ###\n\x1b[2K two  ##\n\x1b[2K three #\x1b[2A\r", 4000) + "\n"},
	} {
		b.Run(bm.name, func(b *testing.B) {
			b.SetBytes(int64(len(bm.text)))
			b.ReportAllocs()
			for b.Loop() {
				String(bm.text)
			}
		})
	}
}

// As a follower does it: what a read returns, and the finished lines after each.
func BenchmarkRenderer(b *testing.B) {
	p := []byte(strings.Repeat("a line of text as a terminal passes it, without any colour\r\n", 500))
	var r Renderer
	b.SetBytes(int64(len(p)))
	b.ReportAllocs()
	for b.Loop() {
		r.Write(p)
		r.Lines()
	}
}
