package plaintext

import "unicode/utf8"

// String returns s as a person would see it at the end. Text without control
// characters other than newline and tab is returned itself, without a copy.
func String(s string) string {
	if isPlain(s) && utf8.ValidString(s) {
		return s
	}
	return render([]byte(s))
}

// Bytes is [String] for bytes; b is neither changed nor kept.
func Bytes(b []byte) string {
	if isPlain(b) && utf8.Valid(b) {
		return string(b)
	}
	return render(b)
}

func render(b []byte) string {
	var r Renderer
	r.done = make([]byte, 0, len(b)/2)
	r.write(b)
	return string(r.appendRest(r.done))
}

// isPlain reports whether s has no control characters but newline and tab. It
// takes UTF-8 for granted.
func isPlain[T string | []byte](s T) bool {
	for i := 0; i < len(s); i++ {
		switch class[s[i]] {
		case control:
			return false
		case lead:
			if i+1 < len(s) && s[i+1] < 0xa0 {
				return false
			}
		}
	}
	return true
}

const (
	text    = iota // printable ASCII, and bytes of longer characters
	newline        // and tab
	lead           // first byte of U+0080 to U+00BF, the C1 controls among them
	control
)

var class = func() (t [256]uint8) {
	for b := range 0x20 {
		t[b] = control
	}
	t['\n'], t['\t'], t[0x7f], t[0xc2] = newline, newline, control, lead
	return t
}()
