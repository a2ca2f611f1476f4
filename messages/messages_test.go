package messages_test

import (
	"bytes"
	"encoding/gob"
	"encoding/json"
	"io/fs"
	"os"
	"os/exec"
	"reflect"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/asynkron/protoactor-go/actor"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/procession-go/procession/messages"
	"github.com/procession-go/procession/supervisor"
)

func TestOutputViews(t *testing.T) {
	t.Parallel()
	o := messages.Output{Segments: []messages.Segment{
		{Stream: messages.Stdout, Offset: 5, Data: []byte("one ")},
		{Stream: messages.Stderr, Offset: 9, Data: []byte("zwei ")},
		{Stream: messages.Stdout, Offset: 14, Data: []byte("tröis\n")},
	}, Dropped: 5}
	assert.Equal(t, "one tröis\n", o.Stdout())
	assert.Equal(t, "zwei ", o.Stderr())
	assert.Equal(t, "one zwei tröis\n", o.Combined())
	assert.True(t, o.Truncated())
	assert.Empty(t, messages.Output{}.Combined())
	assert.False(t, messages.Output{}.Truncated())
}

func TestInvalidBytesAreShownOneByOne(t *testing.T) {
	t.Parallel()
	for data, want := range map[string]string{
		"a\xffb":           "a\uFFFDb",
		"\xff\xfe":         "\uFFFD\uFFFD",
		"€"[:2]:            "\uFFFD\uFFFD",
		"\xed\xa0\x80":     "\uFFFD\uFFFD\uFFFD", // a surrogate
		"\xc0\x80":         "\uFFFD\uFFFD",       // an overlong NUL
		"é\x80é\uFFFD\x00": "é\uFFFDé\uFFFD\x00",
	} {
		o := messages.Output{Segments: []messages.Segment{{Data: []byte(data)}}}
		assert.Equal(t, want, o.Stdout(), "%q", data)
	}
	rapid.Check(t, func(t *rapid.T) {
		data := rapid.SliceOf(rapid.Byte()).Draw(t, "data")
		got := messages.Output{Segments: []messages.Segment{{Data: data}}}.Combined()
		require.True(t, utf8.ValidString(got), "%q is shown as %q", data, got)
		require.Equal(t, utf8.RuneCount(data), utf8.RuneCountInString(got), "%q is shown as %q", data, got)
		if utf8.Valid(data) {
			require.Equal(t, string(data), got)
		}
	})
}

func TestErrorsUnwrapToSentinels(t *testing.T) {
	t.Parallel()
	all := []error{
		messages.ErrNotFound, messages.ErrClosed, messages.ErrLimit, messages.ErrInvalidSpec, messages.ErrInvalidRequest,
		messages.ErrStdinClosed, messages.ErrNoTerminal, messages.ErrStart, messages.ErrExited, messages.ErrUnsupported,
		exec.ErrNotFound, exec.ErrDot, os.ErrProcessDone, fs.ErrNotExist, fs.ErrPermission, syscall.ENOENT, syscall.EMFILE, syscall.EAGAIN,
	}
	for _, test := range []struct {
		err messages.Error
		is  []error
	}{
		{messages.Error{Code: messages.CodeNotFound}, []error{messages.ErrNotFound}},
		{messages.Error{Code: messages.CodeClosed}, []error{messages.ErrClosed}},
		{messages.Error{Code: messages.CodeFailed}, []error{messages.ErrClosed}},
		{messages.Error{Code: messages.CodeLimit}, []error{messages.ErrLimit}},
		{messages.Error{Code: messages.CodeInvalidSpec}, []error{messages.ErrInvalidSpec}},
		{messages.Error{Code: messages.CodeInvalidRequest}, []error{messages.ErrInvalidRequest}},
		{messages.Error{Code: messages.CodeStdinClosed}, []error{messages.ErrStdinClosed}},
		{messages.Error{Code: messages.CodeNoTerminal}, []error{messages.ErrNoTerminal}},
		{messages.Error{Code: messages.CodeUnsupported}, []error{messages.ErrUnsupported}},
		{messages.Error{Code: messages.CodeExited}, []error{messages.ErrExited, os.ErrProcessDone}},
		{messages.Error{Code: messages.CodeNotReady}, []error{messages.ErrExited, os.ErrProcessDone}},
		{messages.Error{Code: messages.CodeNoCommand}, []error{messages.ErrStart, exec.ErrNotFound}},
		{messages.Error{Code: messages.CodeDot}, []error{messages.ErrStart, exec.ErrDot}},
		{messages.Error{Code: messages.CodeStart}, []error{messages.ErrStart}},
		{messages.Error{Code: messages.CodeStart, Errno: syscall.ENOENT}, []error{messages.ErrStart, fs.ErrNotExist, syscall.ENOENT}},
		{messages.Error{Code: messages.CodeStart, Errno: syscall.EACCES}, []error{messages.ErrStart, fs.ErrPermission}},
		{messages.Error{Code: messages.CodeStart, Errno: syscall.EMFILE}, []error{messages.ErrStart, syscall.EMFILE}},
		{messages.Error{Code: messages.CodeStart, Errno: syscall.EAGAIN}, []error{messages.ErrStart, syscall.EAGAIN}},
		{messages.Error{Code: "from the future"}, nil},
	} {
		for _, target := range all {
			if slices.Contains(test.is, target) {
				assert.ErrorIs(t, &test.err, target, "%s (%v)", test.err.Code, test.err.Errno)
			} else {
				assert.NotErrorIs(t, &test.err, target, "%s (%v)", test.err.Code, test.err.Errno)
			}
		}
	}
	assert.EqualError(t, &messages.Error{Message: "it is so"}, "it is so")
}

// asText asserts what values are in JSON, and that they are read again.
func asText[T any](t *testing.T, want string, values ...T) {
	t.Helper()
	text, err := json.Marshal(values)
	require.NoError(t, err)
	assert.Equal(t, want, string(text))
	var back []T
	require.NoError(t, json.Unmarshal(text, &back))
	assert.Equal(t, values, back)
}

func TestStatesAndCausesAsText(t *testing.T) {
	t.Parallel()
	asText(t, `["starting","running","stopping","backing-off","exited"]`,
		messages.Starting, messages.Running, messages.Stopping, messages.BackingOff, messages.Exited)
	asText(t, `["exited","killed","timeout","crashed","shutdown","not-ready","start-failed"]`,
		messages.CauseExited, messages.CauseKilled, messages.CauseTimeout, messages.CauseCrashed, messages.CauseShutdown,
		messages.CauseNotReady, messages.CauseStartFailed)
	assert.Error(t, json.Unmarshal([]byte(`["dancing"]`), new([]messages.State)))
	assert.Error(t, json.Unmarshal([]byte(`["boredom"]`), new([]messages.Cause)))
	assert.Equal(t, "unknown(200)", messages.State(200).String())
	assert.Equal(t, "unknown(200)", messages.Cause(200).String())
	text, err := json.Marshal([]messages.Stream{messages.Stdout, messages.Stderr})
	require.NoError(t, err)
	assert.Equal(t, `["stdout","stderr"]`, string(text))
}

func TestExit(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		exit    messages.Exit
		text    string
		success bool
	}{
		{messages.Exit{}, "exit status 0", true},
		{messages.Exit{Code: 3}, "exit status 3", false},
		{messages.Exit{Code: -1, Signal: "SIGKILL"}, "signal: SIGKILL", false},
		{messages.Exit{Signal: "SIGTERM"}, "signal: SIGTERM", false},
	} {
		assert.Equal(t, test.text, test.exit.String())
		assert.Equal(t, test.success, test.exit.Success(), test.text)
	}
}

func TestShell(t *testing.T) {
	t.Parallel()
	assert.Equal(t, messages.Spec{Command: "/bin/sh", Args: []string{"-c", "a b"}}, messages.Shell("a b"))
}

// every is a value of each message.
func every() []any {
	now := time.Unix(1, 2).UTC()
	exit := messages.Exit{Code: -1, Signal: "SIGKILL", Cause: messages.CauseTimeout, Reason: "r", OutputCut: true, GaveUp: true, Time: now, UserTime: 1, SystemTime: 2, MaxRSS: 3,
		StartError: &messages.Error{Code: messages.CodeStart, Message: "m", Errno: syscall.ENOENT}}
	spec := messages.Spec{
		Name: "n", Command: "c", Args: []string{"a"}, Dir: "d", Env: map[string]string{"e": "f"}, ClearEnv: true,
		Labels: map[string]string{"l": "m"}, OutputLimit: -1, Stdin: true, PTY: &messages.Size{Rows: 1, Cols: 2}, Timeout: 1, Grace: 2,
		StopSignal: syscall.SIGINT, LeaveDescendants: true, Restart: supervisor.Policy{When: supervisor.Always, MaxRestarts: 1},
		Ready: &messages.Probe{Pattern: "p", Exec: []string{"x"}, Interval: 1},
	}
	info := messages.Info{
		ID: "i", Name: "n", Args: []string{"a"}, Labels: map[string]string{"l": "m"}, PID: 7, State: messages.BackingOff, CreatedAt: now, KillAt: now,
		Exit: &exit, Incarnations: []messages.Incarnation{{Mark: 1, Ready: true, Exit: exit}}, OutputLimit: 5,
	}
	segments := []messages.Segment{{Stream: messages.Stderr, Offset: 4, Data: []byte("data")}}
	selector := messages.Selector{Labels: map[string]string{"a": "b"}, States: []messages.State{messages.Running}, Names: []string{"n"}}
	return []any{
		&messages.StartProcess{Spec: spec, Owner: actor.NewPID("address", "id")},
		&messages.GetOutput{ID: "i"}, &messages.ReadOutput{ID: "i", ReadOptions: messages.ReadOptions{Cursor: 1, MaxBytes: 2, Wait: -1}},
		&messages.WaitExit{ID: "i"}, &messages.WaitReady{ID: "i"}, &messages.KillProcess{ID: "i"}, &messages.ReleaseProcess{ID: "i"},
		&messages.Released{ID: "i"}, &messages.GetInfo{ID: "i"}, &messages.ListProcesses{Selector: selector},
		&messages.ProcessList{Processes: []messages.Info{info}}, &messages.KillAll{Selector: selector}, &messages.ReleaseAll{Selector: selector},
		&messages.Count{N: 3}, &messages.WriteStdin{ID: "i", Data: []byte("x")}, &messages.CloseStdin{ID: "i"},
		&messages.ResizeTerminal{ID: "i", Size: messages.Size{Rows: 3, Cols: 4}}, &messages.SendSignal{ID: "i", Signal: syscall.SIGHUP},
		&messages.Done{ID: "i", Written: 1}, &messages.Cancel{ID: "i"}, &messages.Monitor{ID: "i"}, &messages.Demonitor{ID: "i"},
		&messages.ProcessDown{ID: "i", Exit: exit}, &messages.ShutdownReport{Terminated: 1, Killed: 2},
		&messages.Output{Segments: segments, Dropped: 4, Exit: &exit}, &messages.Chunk{Segments: segments, Fragments: []messages.Stream{messages.Stderr}, Next: 8, Exit: &exit, EOF: true},
		&exit, &info, &messages.Error{Code: messages.CodeStart, ID: "i", Message: "m", Errno: syscall.EMFILE},
		&messages.ProcessStarted{ID: "i", PID: 1, Incarnation: 2, Mark: 3, Time: now}, &messages.ProcessReady{ID: "i", Time: now},
		&messages.ProcessStopping{ID: "i", Cause: messages.CauseKilled, Time: now}, &messages.ProcessExited{ID: "i", Exit: exit, Final: true, End: 4},
		&messages.ProcessRestarting{ID: "i", Incarnation: 2, Delay: 1, Time: now}, &messages.ProcessReleased{ID: "i", Time: now},
		&messages.EventsLost{N: 1},
	}
}

// Messages are to cross a network some day.
func TestMessagesArePlainData(t *testing.T) {
	t.Parallel()
	for _, m := range append(every(), &messages.Shutdown{}) {
		assert.Empty(t, notPlain(reflect.TypeOf(m), map[reflect.Type]bool{}), "%T holds what cannot cross a network", m)
	}
	for _, m := range every() {
		var stream bytes.Buffer
		back := reflect.New(reflect.TypeOf(m).Elem()).Interface()
		start, isStart := m.(*messages.StartProcess)
		if isStart { // protocol buffers have an encoding of their own
			start.Owner = nil
		}
		if assert.NoError(t, gob.NewEncoder(&stream).Encode(m), "%T", m) {
			assert.NoError(t, gob.NewDecoder(&stream).Decode(back), "%T by gob", m)
			assert.Equal(t, m, back, "%T by gob", m)
		}
		text, err := json.Marshal(m)
		assert.NoError(t, err, "%T", m)
		back = reflect.New(reflect.TypeOf(m).Elem()).Interface()
		assert.NoError(t, json.Unmarshal(text, back), "%T by JSON", m)
		assert.Equal(t, m, back, "%T by JSON", m)
	}
}

// notPlain is what in a type cannot cross a network, "" if all can.
func notPlain(t reflect.Type, seen map[reflect.Type]bool) string {
	if seen[t] || t == reflect.TypeFor[time.Time]() || t == reflect.TypeFor[actor.PID]() {
		return ""
	}
	seen[t] = true
	switch t.Kind() {
	case reflect.Chan, reflect.Func, reflect.Interface, reflect.UnsafePointer, reflect.Uintptr:
		if t != reflect.TypeFor[syscall.Errno]() { // a number
			return t.String()
		}
	case reflect.Pointer, reflect.Slice, reflect.Array:
		return notPlain(t.Elem(), seen)
	case reflect.Map:
		return notPlain(t.Key(), seen) + notPlain(t.Elem(), seen)
	case reflect.Struct:
		for i := range t.NumField() {
			if !t.Field(i).IsExported() {
				return t.String() + "." + t.Field(i).Name + ", which is not exported"
			}
			if what := notPlain(t.Field(i).Type, seen); what != "" {
				return what
			}
		}
	}
	return ""
}

func TestEventsAreEvents(t *testing.T) {
	t.Parallel()
	var names []string
	for _, m := range every() {
		if _, ok := m.(messages.Event); ok {
			names = append(names, strings.TrimPrefix(reflect.TypeOf(m).String(), "*messages."))
		}
	}
	want := "ProcessStarted ProcessReady ProcessStopping ProcessExited ProcessRestarting ProcessReleased EventsLost"
	assert.Equal(t, want, strings.Join(names, " "))
}
