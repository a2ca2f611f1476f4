package procession

import "github.com/procession-go/procession/plaintext"

// PlainText returns output as a person would see it on a terminal at the end.
// Terminal control sequences are gone, and a line that was redrawn, such as a
// progress bar, has only its last state. PlainText is for people and models; the
// log keeps every byte. plaintext.Renderer does the same for output that is read
// piece by piece.
func PlainText(segments []Segment) string {
	var r plaintext.Renderer
	for _, s := range segments {
		r.Write(s.Data)
	}
	return r.Lines() + r.Rest()
}
