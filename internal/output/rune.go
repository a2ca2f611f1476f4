package output

import "unicode/utf8"

// complete returns the length of p without an incomplete character at its end: the
// beginning of a UTF-8 encoding (at most 3 bytes) that more bytes could make
// valid. What can never become valid is complete, as it is.
func complete(p []byte) int {
	for i := len(p) - 1; i >= 0 && i >= len(p)-(utf8.UTFMax-1); i-- {
		if utf8.RuneStart(p[i]) { // a start byte is never in the middle of an encoding
			if utf8.FullRune(p[i:]) {
				break
			}
			return i
		}
	}
	return len(p)
}

// around returns the bounds of the character that a cut before p[cut] would
// split. If it would split none, because it falls between two or among bytes
// that are not valid UTF-8, both are cut.
func around(p []byte, cut int) (start, end int) {
	for i := cut - 1; i >= 0 && i > cut-utf8.UTFMax; i-- {
		if utf8.RuneStart(p[i]) {
			if _, size := utf8.DecodeRune(p[i:]); i+size > cut { // size is 1 if it is invalid
				return i, i + size
			}
			break
		}
	}
	return cut, cut
}
