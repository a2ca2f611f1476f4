package mcpserver

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/procession-go/procession"
)

// outputText returns a result of output as a model reads it: a line on the process,
// what was left out, the output, and how to read on.
func outputText(info procession.Info, r outputResult, q query) string {
	var b strings.Builder
	verb := "is"
	if info.Exit != nil {
		verb = "has"
	}
	fmt.Fprintf(&b, "%s %s %s: %s\n", info.ID, verb, status(info), shortened(commandLine(info), 120))
	if r.Dropped > 0 {
		fmt.Fprintf(&b, "[%d bytes of earlier output are left out]\n", r.Dropped)
	}
	switch {
	case r.Output != "":
		b.WriteString(paragraph(r.Output))
	case r.Stdout != "" || r.Stderr != "":
		b.WriteString(apart("standard output", r.Stdout) + apart("standard error", r.Stderr))
	case q.filter.re != nil:
		fmt.Fprintf(&b, "[no line matches %s]\n", shortened(strconv.Quote(q.filter.re.String()), 400))
	case q.cursor > 0:
		fmt.Fprintf(&b, "[no output after cursor %d]\n", q.cursor)
	default:
		b.WriteString("[no output]\n")
	}
	if r.OutputCut {
		b.WriteString(cutText + "\n")
	}
	more := ""
	if r.More {
		more = ", and there is more"
	}
	fmt.Fprintf(&b, "[next_cursor: %d%s]", r.NextCursor, more)
	return b.String()
}

// cutText is what a model reads of output that was not awaited to its end.
const cutText = "[the end of the output may be missing: the process has ended, and something that it started still held its output open]"

// apart returns the output of one stream, where there is nothing in both together: a
// line matches that is whole in that stream only.
func apart(stream, text string) string {
	if text == "" {
		return ""
	}
	return "[in " + stream + " alone:]\n" + paragraph(text)
}

func paragraph(text string) string { return "\n" + strings.TrimSuffix(text, "\n") + "\n\n" }
