//go:build linux

package procession_test

import (
	"fmt"
	"math"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/procession-go/procession"
	"github.com/procession-go/procession/internal/testkit"
	"github.com/procession-go/procession/internal/testkit/enginetest"
	"github.com/procession-go/procession/messages"
	"github.com/procession-go/procession/supervisor"
)

// A read is answered with what there is, however large the numbers that it asks with.
func TestAReadOfAnyNumberOfBytes(t *testing.T) {
	t.Parallel()
	e := enginetest.New(t)
	id := alternating(t, e, 8)
	for cursor := range int64(17) {
		for _, most := range []int{0, 1, 2, math.MaxInt64 - 10, math.MaxInt64 - 1, math.MaxInt64} {
			want := "0\n1\n2\n3\n4\n5\n6\n7\n"[cursor:]
			if most > 0 {
				want = want[:min(len(want), most)]
			}
			c := read(t, e, id, procession.ReadOptions{Cursor: cursor, MaxBytes: most})
			assert.Equal(t, want, string(bytesOf(c.Segments)), "%d bytes from %d on", most, cursor)
		}
	}
	require.NoError(t, e.Signal(testkit.Within(t), id, 9))
	var text strings.Builder
	for c, err := range e.Follow(testkit.Within(t), id, procession.ReadOptions{Cursor: 5, MaxBytes: math.MaxInt}) {
		require.NoError(t, err)
		text.Write(bytesOf(c.Segments))
		if !c.EOF {
			require.NotEmpty(t, c.Segments)
		}
	}
	assert.Equal(t, "\n3\n4\n5\n6\n7\n", text.String())
}

// alternating is a process that has written so many numbered lines to standard output and
// standard error by turns, a segment each, and waits.
func alternating(t *testing.T, e *procession.Engine, lines int) (id string) {
	id = enginetest.Start(t, e, withStdin(helper("alternate")))
	for i := range lines {
		write(t, e, id, "\n")
		enginetest.AwaitText(t, e, id, fmt.Sprintf("%d\n", i))
	}
	return id
}

// numbersIn are the numbers in a message, by name, as setters.
func numbersIn(v reflect.Value, name string, found map[string]reflect.Value) map[string]reflect.Value {
	switch v.Kind() {
	case reflect.Pointer:
		if !v.IsNil() {
			numbersIn(v.Elem(), name, found)
		}
	case reflect.Struct:
		for i := range v.NumField() {
			if v.Type().Field(i).IsExported() {
				numbersIn(v.Field(i), name+"."+v.Type().Field(i).Name, found)
			}
		}
	default:
		if v.CanInt() || v.CanUint() {
			found[name] = v
		}
	}
	return found
}

// limits are the numbers at the limits of a type, and those next to nothing.
func limits(of reflect.Type) (values []reflect.Value) {
	all := []any{uint64(0), uint64(1), uint64(math.MaxUint64), uint64(5)}
	if reflect.Zero(of).CanInt() {
		least := int64(math.MinInt64) >> (64 - of.Bits())
		all = []any{int64(0), int64(1), int64(-1), least, ^least, int64(5)}
	}
	for _, n := range all {
		values = append(values, reflect.ValueOf(n).Convert(of))
	}
	return values
}

// atLimits calls try with every number of a message at its limits, one at a time, and
// every two of them.
func atLimits(message any, try func(what string)) {
	found := numbersIn(reflect.ValueOf(message), "", map[string]reflect.Value{})
	for name, v := range found {
		was := reflect.ValueOf(v.Interface())
		for _, n := range limits(v.Type()) {
			v.Set(n)
			try(fmt.Sprintf("%s = %v", name, n))
			for other, w := range found {
				if other <= name {
					continue
				}
				was := reflect.ValueOf(w.Interface())
				for _, m := range limits(w.Type()) {
					w.Set(m)
					try(fmt.Sprintf("%s = %v, %s = %v", name, n, other, m))
				}
				w.Set(was)
			}
		}
		v.Set(was)
	}
}

// No number of a request makes an actor fail, which would kill its process.
func TestNumbersOfRequestsAtTheirLimits(t *testing.T) {
	t.Parallel()
	e := enginetest.New(t)
	m := newMailbox(t, e.System())
	id := alternating(t, e, 5)
	terminal := enginetest.Start(t, e, procession.Spec{Command: "cat", PTY: &procession.Size{Rows: 24, Cols: 80}})
	for _, request := range []any{
		&messages.ReadOutput{ID: id},
		&messages.ResizeTerminal{ID: terminal},
		&messages.SendSignal{ID: id, Signal: 28},
	} {
		atLimits(request, func(what string) {
			if s, ok := request.(*messages.SendSignal); ok && s.Signal > 0 && s.Signal != 28 && s.Signal <= 64 {
				return // it would end
			}
			of := reflect.ValueOf(request).Elem()
			copied := reflect.New(of.Type())
			copied.Elem().Set(of)
			e.System().Root.RequestWithCustomSender(e.Pool(), copied.Interface(), m.pid)
			e.System().Root.RequestWithCustomSender(e.Pool(), &messages.Cancel{ID: id}, m.pid) // one that waits
			e.System().Root.RequestWithCustomSender(e.Pool(), &messages.GetInfo{ID: id}, m.pid)
			for told := false; !told; {
				switch a := m.next(t).(type) {
				case *messages.Info:
					require.Equal(t, procession.Running, a.State, "%T%s", request, what)
					require.Zero(t, a.Restarts, "%T%s", request, what)
					told = true
				case *messages.Error:
					require.Equal(t, messages.CodeInvalidRequest, a.Code, "%T%s: %v", request, what, a)
				}
			}
		})
	}
}

// A spec is refused or does what it says, whatever its numbers are.
func TestNumbersOfASpecAtTheirLimits(t *testing.T) {
	t.Parallel()
	e := enginetest.New(t, procession.WithRetention(0, 0))
	canary := enginetest.Start(t, e, procession.Shell("exec sleep 1000"))
	spec := procession.Spec{
		Command: "/bin/echo", Args: []string{"hello"}, PTY: &procession.Size{},
		Restart: supervisor.Policy{When: procession.OnFailure},
		Ready:   &procession.Probe{Pattern: "hello"},
	}
	for name, v := range numbersIn(reflect.ValueOf(&spec), "", map[string]reflect.Value{}) {
		was := reflect.ValueOf(v.Interface())
		for _, n := range limits(v.Type()) {
			v.Set(n)
			id, err := e.Start(testkit.Within(t), spec)
			if err != nil {
				require.ErrorIs(t, err, procession.ErrInvalidSpec, "%s = %v", name, n)
				require.ErrorContains(t, err, strings.TrimPrefix(name, "."), "%s = %v", name, n)
				continue
			}
			_, err = e.Read(testkit.Within(t), id, procession.ReadOptions{Wait: -1, MaxBytes: math.MaxInt})
			if err != nil { // released by now
				require.ErrorIs(t, err, procession.ErrNotFound, "%s = %v", name, n)
			}
			if _, err = e.Kill(testkit.Within(t), id); err != nil {
				require.ErrorIs(t, err, procession.ErrNotFound, "%s = %v", name, n)
			}
		}
		v.Set(was)
	}
	assert.Equal(t, procession.Running, enginetest.Info(t, e, canary).State)
}

// An option is refused by New or does what it says, whatever number it has.
func TestNumbersOfOptionsAtTheirLimits(t *testing.T) {
	t.Parallel()
	for _, n := range limits(reflect.TypeFor[int64]()) {
		n := n.Int()
		for name, option := range map[string]procession.Option{
			"WithGrace":                procession.WithGrace(time.Duration(n)),
			"WithOutputLimit":          procession.WithOutputLimit(n),
			"WithMaxProcesses":         procession.WithMaxProcesses(int(n)),
			"WithRetention, maxExited": procession.WithRetention(int(n), 0),
			"WithRetention, ttl":       procession.WithRetention(1, time.Duration(n)),
		} {
			e, err := procession.New(option)
			if err != nil {
				assert.Negative(t, n, "%s: %v", name, err)
				assert.ErrorContains(t, err, name[:8], "%s(%d)", name, n)
				continue
			}
			id := enginetest.Start(t, e, procession.Shell("echo hello; exec sleep 1000"))
			_, err = e.Read(testkit.Within(t), id, procession.ReadOptions{Wait: -1})
			assert.NoError(t, err, "%s(%d)", name, n)
			exit, err := e.Kill(testkit.Within(t), id)
			assert.NoError(t, err, "%s(%d)", name, n)
			assert.Contains(t, []string{"SIGTERM", "SIGKILL"}, exit.Signal, "%s(%d)", name, n)
			_, err = e.Shutdown(testkit.Within(t))
			assert.NoError(t, err, "%s(%d)", name, n)
		}
	}
}
