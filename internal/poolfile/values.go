package poolfile

import (
	"math"
	"net"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/dustin/go-humanize"
	"go.yaml.in/yaml/v3"

	"github.com/procession-go/procession/internal/signals"
	"github.com/procession-go/procession/messages"
	"github.com/procession-go/procession/supervisor"
)

// The values that a key may have. Each answers the zero value for one that is
// wrong, after it has said so.

// word returns a scalar that must not be empty; ok is false if that has been said.
func (r *reader) word(e entry, what string) (text string, ok bool) {
	before := len(r.problems)
	text = r.text(e.value, what)
	if len(r.problems) > before {
		return "", false
	}
	return text, true
}

func (r *reader) duration(e entry, what string) time.Duration {
	text, ok := r.word(e, what)
	if !ok {
		return 0
	}
	d, err := time.ParseDuration(text)
	if err != nil || d < 0 {
		r.add(e.value.Line, "%s: want a duration such as 500ms, 10s or 1h30m, got %q", what, text)
		return 0
	}
	return d
}

// positive returns a duration for which 0 makes no sense.
func (r *reader) positive(e entry, what string) time.Duration {
	before := len(r.problems)
	d := r.duration(e, what)
	if d == 0 && len(r.problems) == before {
		r.add(e.value.Line, "%s: want more than 0", what)
	}
	return d
}

func (r *reader) size(e entry, what string) int64 {
	text, ok := r.word(e, what)
	if !ok {
		return 0
	}
	if text == "unlimited" {
		return messages.Unlimited
	}
	n, err := humanize.ParseBytes(text)
	if err != nil || n == 0 || n > math.MaxInt64 {
		r.add(e.value.Line, "%s: want a size such as 64KiB or 1MiB, or unlimited, got %q", what, text)
		return 0
	}
	return int64(n)
}

func (r *reader) when(e entry, what string) (w supervisor.When) {
	if text, ok := r.word(e, what); ok {
		if err := w.UnmarshalText([]byte(text)); err != nil {
			r.add(e.value.Line, "%s: want never, on-failure or always, got %q", what, text)
		}
	}
	return w
}

func (r *reader) maxRestarts(e entry, what string) int {
	text, ok := r.word(e, what)
	if !ok {
		return 0
	}
	if text == "unlimited" {
		return -1
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < 1 {
		r.add(e.value.Line, "%s: want a number from 1 on, or unlimited, got %q", what, text)
		return 0
	}
	return n
}

func (r *reader) condition(e entry, what string) Condition {
	text, ok := r.word(e, what)
	i := slices.Index(conditions, text)
	if i >= 0 {
		return Condition(i)
	}
	if ok {
		r.add(e.value.Line, "%s: want %s, got %q", what, strings.Join(conditions, ", "), text)
	}
	return Started
}

func (r *reader) signal(e entry, what string) syscall.Signal {
	text, ok := r.word(e, what)
	if !ok {
		return 0
	}
	sig, err := signals.Parse(text)
	if err != nil {
		r.add(e.value.Line, "%s: %v", what, err)
	}
	return sig
}

// stdin reads what the input is, and answers whether it stays open.
func (r *reader) stdin(e entry, what string) (open bool) {
	got := kindOf(e.value)
	if e.value.Kind == yaml.ScalarNode && e.value.Value != "" {
		got = strconv.Quote(e.value.Value)
	}
	switch got {
	case `"open"`:
		return true
	case `"null"`: // with or without quotes
		return false
	}
	r.add(e.value.Line, "%s: want open or null, got %s", what, got)
	return false
}

func (r *reader) terminal(e entry, what string) *messages.Size {
	if e.value.Kind != yaml.MappingNode {
		on := false
		if text, ok := r.word(e, what); ok && e.value.Decode(&on) != nil {
			r.add(e.value.Line, "%s: want true, false, or rows and cols, got %q", what, text)
		}
		if !on {
			return nil
		}
	}
	size := &messages.Size{Rows: 24, Cols: 80}
	if e.value.Kind == yaml.MappingNode {
		at := func(e entry) string { return what + ": " + e.key }
		r.fields(r.mapping(e.value, what), what, map[string]func(entry){
			"rows": func(e entry) { size.Rows = r.cells(e, at(e)) },
			"cols": func(e entry) { size.Cols = r.cells(e, at(e)) },
		})
	}
	return size
}

func (r *reader) cells(e entry, what string) uint16 {
	text, ok := r.word(e, what)
	n, err := strconv.ParseUint(text, 10, 16)
	if ok && (err != nil || n == 0) {
		r.add(e.value.Line, "%s: want a number from 1 to 65535, got %q", what, text)
	}
	return uint16(n)
}

func (r *reader) pattern(e entry, what string) string {
	text, ok := r.word(e, what)
	if _, err := regexp.Compile(text); ok && err != nil {
		r.add(e.value.Line, "%s: %v", what, err)
	} else if ok && text == "" {
		r.add(e.value.Line, "%s: it is empty", what)
	}
	return text
}

func (r *reader) address(e entry, what string) string {
	text, ok := r.word(e, what)
	if !ok {
		return ""
	}
	_, port, err := net.SplitHostPort(text)
	if err != nil || port == "" {
		r.add(e.value.Line, "%s: want host:port, got %q", what, text)
	} else if !isPort(port) {
		r.add(e.value.Line, "%s: want a port from 1 to 65535, or the name of a service, got %q", what, port)
	}
	return text
}

// isPort reports whether something can be reached at a port: a number, or the
// name of a service that this machine knows (services(5)).
func isPort(port string) bool {
	n, err := net.LookupPort("tcp", port)
	return err == nil && n > 0
}

func (r *reader) url(e entry, what string) string {
	text, ok := r.word(e, what)
	if !ok {
		return ""
	}
	u, err := url.Parse(text)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" {
		r.add(e.value.Line, "%s: want an http or https URL, got %q", what, text)
	} else if port := u.Port(); port != "" && !isPort(port) {
		r.add(e.value.Line, "%s: want a port from 1 to 65535, got %q", what, port)
	}
	return text
}
