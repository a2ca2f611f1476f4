//go:build linux

package faults

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"math"
	"reflect"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/asynkron/protoactor-go/actor"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/procession-go/procession"
	"github.com/procession-go/procession/internal/testkit"
	"github.com/procession-go/procession/internal/testkit/enginetest"
	"github.com/procession-go/procession/messages"
)

// Input that makes no sense: whatever the fields of a Spec and of a request hold, it is
// answered, and no actor fails of it.

// requests are all that ask about one process, and those that select some.
var requests = []any{
	messages.GetInfo{}, messages.GetOutput{}, messages.ReadOutput{}, messages.WaitExit{}, messages.WaitReady{},
	messages.KillProcess{}, messages.ReleaseProcess{}, messages.WriteStdin{}, messages.CloseStdin{}, messages.ResizeTerminal{},
	messages.SendSignal{}, messages.Monitor{}, messages.Demonitor{}, messages.Cancel{},
	messages.ListProcesses{}, messages.KillAll{}, messages.ReleaseAll{}, messages.GetCapabilities{}, messages.StartProcess{},
}

// programs are harmless, whatever their arguments are.
var programs = []string{"true", "cat", "printenv", "false", "", "\x00", "/", "./true", "/does/not/exist", "no\xffprogram"}

// fragments are what texts are made of.
var fragments = []string{
	"http", "https", "://", ":", "/", "127.0.0.1", "localhost", "[", "::1", "]", "%", "%zz", "@", "?", "#", "0", "1", "80", "65536", "-1",
	"99999999999999999999", "=", "\x00", "\xff", "é", "\n", "(", ")", "*", "{1000}", "\\", "a", " ", "/tmp", "..", "TERM", "PATH",
}

func aText(t *rapid.T, name string) string {
	return strings.Join(rapid.SliceOfN(rapid.SampledFrom(fragments), 0, 4).Draw(t, name), "")
}

// fill gives what v is a value of any value: of each number the limits more often than what
// is between them.
func fill(t *rapid.T, name string, v reflect.Value) {
	switch v.Kind() {
	case reflect.Bool:
		v.SetBool(rapid.Bool().Draw(t, name))
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		most := int64(math.MaxInt64) >> (64 - v.Type().Bits())
		limits := rapid.SampledFrom([]int64{0, 1, -1, 10, 65, -most - 1, most})
		v.SetInt(rapid.OneOf(limits, limits, rapid.Int64Range(-most-1, most)).Draw(t, name))
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		most := uint64(math.MaxUint64) >> (64 - v.Type().Bits())
		v.SetUint(rapid.OneOf(rapid.SampledFrom([]uint64{0, 1, 2, 3, most - 1, most}), rapid.Uint64Range(0, most)).Draw(t, name))
	case reflect.Float64:
		v.SetFloat(rapid.OneOf(rapid.SampledFrom([]float64{0, 1, -1, math.Inf(1), math.Inf(-1), math.NaN()}), rapid.Float64()).Draw(t, name))
	case reflect.String:
		v.SetString(aText(t, name))
	case reflect.Slice:
		n := rapid.IntRange(0, 3).Draw(t, name+": length")
		v.Set(reflect.MakeSlice(v.Type(), n, n))
		for i := range n {
			fill(t, fmt.Sprintf("%s[%d]", name, i), v.Index(i))
		}
	case reflect.Map:
		v.Set(reflect.MakeMap(v.Type()))
		for i := range rapid.IntRange(0, 3).Draw(t, name+": length") {
			key, value := reflect.New(v.Type().Key()).Elem(), reflect.New(v.Type().Elem()).Elem()
			fill(t, fmt.Sprintf("%s: key %d", name, i), key)
			fill(t, fmt.Sprintf("%s: value %d", name, i), value)
			v.SetMapIndex(key, value)
		}
	case reflect.Pointer:
		switch {
		case rapid.Bool().Draw(t, name+" is nil"):
			v.SetZero()
		case v.Type() == reflect.TypeFor[*actor.PID]():
			v.Set(reflect.ValueOf(&actor.PID{Address: aText(t, name+": address"), Id: aText(t, name+": ID")}))
		default:
			v.Set(reflect.New(v.Type().Elem()))
			fill(t, name, v.Elem())
		}
	case reflect.Struct:
		for i := range v.NumField() {
			fillField(t, name+"."+v.Type().Field(i).Name, v.Field(i))
		}
	default:
		require.Fail(t, "no values are known", "of %s, a %v", name, v.Type())
	}
}

// fillField is fill for a field, some of which may not have any value.
func fillField(t *rapid.T, name string, v reflect.Value) {
	fill(t, name, v)
	switch field := v.Addr().Interface().(type) {
	case *messages.Probe:
		if len(field.Exec) > 0 {
			field.Exec[0] = rapid.SampledFrom(programs).Draw(t, name+": program")
		}
	}
}

// aSpec is one that can be started but for a few fields, which have any value.
func aSpec(t *rapid.T) messages.Spec {
	spec := messages.Spec{Command: rapid.SampledFrom(programs).Draw(t, "program"), Stdin: true}
	v := reflect.ValueOf(&spec).Elem()
	for _, i := range rapid.SliceOfN(rapid.IntRange(0, v.NumField()-1), 0, 4).Draw(t, "fields") {
		if name := v.Type().Field(i).Name; name != "Command" {
			fillField(t, name, v.Field(i))
		}
	}
	if spec.Ready != nil && len(spec.Ready.Exec) > 0 {
		spec.Ready.Exec[0] = rapid.SampledFrom(programs).Draw(t, "Ready.Exec: program")
	}
	return spec
}

// aRequest is any, mostly about the process of that ID.
func aRequest(t *rapid.T, id string) any {
	request := reflect.New(reflect.TypeOf(rapid.SampledFrom(requests).Draw(t, "request")))
	if start, is := request.Interface().(*messages.StartProcess); is {
		start.Spec = aSpec(t)
		fill(t, "Owner", reflect.ValueOf(&start.Owner).Elem())
		return start
	}
	v := request.Elem()
	fill(t, v.Type().Name(), v)
	if field := v.FieldByName("ID"); field.IsValid() && rapid.IntRange(0, 9).Draw(t, "whose") > 0 {
		field.SetString(id)
	}
	return request.Interface()
}

// failures are what actors have logged when they failed.
type failures struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (f *failures) Enabled(_ context.Context, level slog.Level) bool { return level >= slog.LevelError }
func (f *failures) WithAttrs([]slog.Attr) slog.Handler               { return f }
func (f *failures) WithGroup(string) slog.Handler                    { return f }
func (f *failures) Handle(ctx context.Context, r slog.Record) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	return slog.NewTextHandler(&f.text, nil).Handle(ctx, r)
}

// told is what they have logged since it was last asked for.
func (f *failures) told() string {
	f.mu.Lock()
	defer f.mu.Unlock()
	defer f.text.Reset()
	return f.text.String()
}

// survives is a property of an engine: it starts what makes no sense and is asked what makes
// none; everything is answered, and no actor fails.
func survives(eng *procession.Engine, told *failures) func(*rapid.T) {
	system, pool := eng.System(), eng.Pool()
	return func(t *rapid.T) {
		ask := func(request any) *actor.Future { return system.Root.RequestFuture(pool, request, 30*time.Second) }
		answered := func(request any, f *actor.Future) any {
			answer, err := f.Result()
			require.NoErrorf(t, err, "%T", request)
			if refusal, is := answer.(*messages.Error); is {
				assert.NotEqual(t, messages.CodeFailed, refusal.Code, "%+v: %s", request, refusal.Message)
			}
			require.Empty(t, told.told(), "%+v", request)
			return answer
		}
		start := &messages.StartProcess{Spec: aSpec(t)}
		id := "proc_000000000000"
		if started, is := answered(start, ask(start)).(*messages.ProcessStarted); is {
			id = started.ID
			read := &messages.ReadOutput{ID: id, ReadOptions: messages.ReadOptions{Wait: 5 * time.Millisecond}}
			answered(read, ask(read))
		}
		waits := map[any]*actor.Future{}
		for range rapid.IntRange(1, 6).Draw(t, "requests") {
			request := aRequest(t, id)
			switch request.(type) {
			case *messages.Cancel:
				system.Root.RequestWithCustomSender(pool, request, actor.NewPID("nobody", "nobody"))
			default:
				waits[request] = ask(request)
			}
		}
		endAll(t, eng)
		for request, f := range waits {
			answered(request, f)
		}
	}
}

// endAll releases everything, and sends SIGKILL to what has a longer grace than a test.
func endAll(t *rapid.T, eng *procession.Engine) {
	system, pool := eng.System(), eng.Pool()
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	for {
		list, err := eng.List(ctx)
		require.NoError(t, err)
		if len(list) == 0 {
			return
		}
		for _, info := range list {
			system.Root.Send(pool, &messages.ReleaseProcess{ID: info.ID})
			system.Root.Send(pool, &messages.SendSignal{ID: info.ID, Signal: 9})
		}
	}
}

func newInputEngine(t testing.TB) (*procession.Engine, *failures) {
	told := &failures{}
	system := newSystem()
	eng := enginetest.New(t, procession.WithActorSystem(system), procession.WithLogger(slog.New(told)), procession.WithGrace(100*time.Millisecond))
	return eng, told
}

// What is no URL, and what is none by a hair, harms nobody but who has asked for it.
func TestInputThatIsNoURL(t *testing.T) {
	eng, told := newInputEngine(t)
	neighbour := enginetest.Start(t, eng, procession.Spec{Command: "cat", Stdin: true})
	for _, target := range []string{"127.0.0.1:80", ":", "%", "http://[::1", "http://a b/", "http://localhost:x/", "\x00"} {
		id, err := eng.Start(testkit.Within(t), procession.Spec{Command: "true", Ready: &procession.Probe{HTTP: target}})
		assert.ErrorIs(t, err, procession.ErrInvalidSpec, "%q", target)
		assert.ErrorContains(t, err, "Ready.HTTP", "%q", target)
		assert.Empty(t, id)
	}
	info := enginetest.Info(t, eng, neighbour)
	assert.Equal(t, procession.Running, info.State)
	assert.Empty(t, told.told())
}

func TestInputFailsNoActor(t *testing.T) {
	rapid.Check(t, survives(newInputEngine(t)))
}

func FuzzInput(f *testing.F) {
	f.Fuzz(rapid.MakeFuzz(survives(newInputEngine(f))))
}
