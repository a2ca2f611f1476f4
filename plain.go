package procession

import "github.com/procession-go/procession/plaintext"

// PlainText is output as a person would have seen it in the end: terminal control
// sequences are gone, and of a line that was redrawn, such as a progress bar, only
// its last state is left. It is for people and models; the log keeps every byte.
// For output that is read piece by piece, see plaintext.Renderer.
func PlainText(segments []Segment) string {
	var r plaintext.Renderer
	for _, s := range segments {
		r.Write(s.Data)
	}
	return r.Lines() + r.Rest()
}
