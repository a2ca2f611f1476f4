//go:build linux

package actors_test

import (
	"fmt"
	"regexp"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/procession-go/procession"
	"github.com/procession-go/procession/internal/testkit"
	"github.com/procession-go/procession/internal/testkit/enginetest"
	"github.com/procession-go/procession/internal/testkit/program"
	"github.com/procession-go/procession/messages"
)

func TestInfo(t *testing.T) {
	t.Parallel()
	e := enginetest.New(t, procession.WithOutputLimit(5000))
	begin := time.Now()
	spec := procession.Spec{
		Name: "server", Command: "/bin/sh", Args: []string{"-c", "echo hello; read line; exit 3"}, Dir: t.TempDir(),
		Labels: map[string]string{"agent": "a1", "task": "t1"}, Stdin: true,
	}
	id := enginetest.Start(t, e, spec)
	enginetest.AwaitText(t, e, id, "hello\n")
	i := enginetest.Info(t, e, id)
	assert.WithinRange(t, i.CreatedAt, begin, i.StartedAt)
	assert.WithinRange(t, i.StartedAt, i.CreatedAt, time.Now())
	want := procession.Info{
		ID: id, Name: spec.Name, Command: spec.Command, Args: spec.Args, Dir: spec.Dir, Labels: spec.Labels,
		State: procession.Running, Ready: true, OutputLimit: 5000, OutputBytes: 6, Retained: 6,
		PID: i.PID, CreatedAt: i.CreatedAt, StartedAt: i.StartedAt,
	}
	assert.Equal(t, want, i)
	require.NoError(t, e.CloseStdin(testkit.Within(t), id))
	exit := enginetest.Wait(t, e, id)
	after := enginetest.Info(t, e, id)
	assert.Equal(t, procession.Exited, after.State)
	assert.Equal(t, &exit, after.Exit)
	assert.Equal(t, i.PID, after.PID)
	assert.False(t, after.Ready, "ready after its end")
}

func TestInfoTellsWhatTheLimitHasDropped(t *testing.T) {
	t.Parallel()
	e := enginetest.New(t)
	spec := program.Spec("flood", "1000")
	spec.OutputLimit = 4000
	id := enginetest.Start(t, e, spec)
	enginetest.Wait(t, e, id)
	i := enginetest.Info(t, e, id)
	assert.EqualValues(t, 4000, i.OutputLimit)
	assert.EqualValues(t, 16000, i.OutputBytes)
	assert.EqualValues(t, 4000, i.Retained)
	assert.EqualValues(t, 12000, i.Dropped)
}

func TestOutputLimits(t *testing.T) {
	t.Parallel()
	e := enginetest.New(t, procession.WithOutputLimit(3000))
	for _, test := range []struct{ given, limit, retained int64 }{
		{0, 3000, 3000}, {100, 100, 100}, {1, 1, 1}, {procession.Unlimited, procession.Unlimited, 160000},
	} {
		spec := program.Spec("flood", "10000")
		spec.OutputLimit = test.given
		id := enginetest.Start(t, e, spec)
		enginetest.Wait(t, e, id)
		out := enginetest.Output(t, e, id)
		assert.Equal(t, test.limit, enginetest.Info(t, e, id).OutputLimit, "the limit of what was given %d", test.given)
		assert.EqualValues(t, test.retained, len(out.Combined()), "bytes that are retained of what was given %d", test.given)
		assert.Equal(t, 160000-test.retained, out.Dropped, "bytes that are dropped of what was given %d", test.given)
	}
}

func TestInfoSaysWhenItIsKilled(t *testing.T) {
	e := enginetest.New(t)
	spec := procession.Shell(`trap "" TERM; echo on; while :; do sleep 1000 & wait; done`)
	spec.Grace = time.Hour
	id := enginetest.Start(t, e, spec)
	_, err := e.WaitFor(testkit.Within(t), id, regexp.MustCompile("on"))
	require.NoError(t, err)
	assert.Zero(t, enginetest.Info(t, e, id).KillAt)
	told := enginetest.Collect(t, e)
	go e.Kill(t.Context(), id)
	enginetest.AwaitA[*messages.ProcessStopping](t, told)
	assert.WithinDuration(t, time.Now().Add(time.Hour), enginetest.Info(t, e, id).KillAt, time.Minute)
	require.NoError(t, e.Signal(testkit.Within(t), id, syscall.SIGKILL))
	enginetest.Kill(t, e, id)
	assert.Zero(t, enginetest.Info(t, e, id).KillAt)
}

func TestListIsInOrderOfCreation(t *testing.T) {
	t.Parallel()
	e := enginetest.New(t)
	list, err := e.List(testkit.Within(t))
	require.NoError(t, err)
	assert.Empty(t, list, "of a new engine")
	var ids []string
	for i := range 20 {
		ids = append(ids, enginetest.Start(t, e, procession.Shell(fmt.Sprintf("exit %d", i))))
	}
	for _, id := range ids {
		enginetest.Wait(t, e, id)
	}
	ids = append(ids, enginetest.Start(t, e, procession.Shell("sleep 1000")))
	list, err = e.List(testkit.Within(t))
	require.NoError(t, err)
	require.Equal(t, ids, idsOf(list))
	assert.Equal(t, procession.Exited, list[0].State)
	assert.Equal(t, procession.Running, list[20].State)
	require.NotNil(t, list[7].Exit)
	assert.Equal(t, 7, list[7].Exit.Code)
}

func idsOf(list []procession.Info) (ids []string) {
	for _, i := range list {
		ids = append(ids, i.ID)
	}
	return ids
}

func TestSelection(t *testing.T) {
	e := enginetest.New(t)
	sleeper := func(name, agent string) string {
		spec := procession.Shell("sleep 1000")
		spec.Name, spec.Labels = name, map[string]string{"agent": agent, "kind": "sleeper"}
		return enginetest.Start(t, e, spec)
	}
	a1, b1, a2 := sleeper("a", "1"), sleeper("b", "1"), sleeper("a", "2")
	ended := enginetest.Start(t, e, procession.Spec{Command: "true", Name: "a", Labels: map[string]string{"agent": "1"}})
	enginetest.Wait(t, e, ended)
	for _, test := range []struct {
		selectors []procession.Selector
		want      []string
	}{
		{nil, []string{a1, b1, a2, ended}},
		{[]procession.Selector{{}}, []string{a1, b1, a2, ended}},
		{[]procession.Selector{{Labels: map[string]string{"agent": "1"}}}, []string{a1, b1, ended}},
		{[]procession.Selector{{Labels: map[string]string{"agent": "1", "kind": "sleeper"}}}, []string{a1, b1}},
		{[]procession.Selector{{Names: []string{"b", "c"}}}, []string{b1}},
		{[]procession.Selector{{States: []procession.State{procession.Exited}}}, []string{ended}},
		{[]procession.Selector{{Names: []string{"a"}, States: []procession.State{procession.Running, procession.Stopping}}}, []string{a1, a2}},
		{[]procession.Selector{{Names: []string{"a"}}, {Labels: map[string]string{"agent": "2"}}}, []string{a2}},
		{[]procession.Selector{{Labels: map[string]string{"no": "such"}}}, nil},
	} {
		list, err := e.List(testkit.Within(t), test.selectors...)
		require.NoError(t, err)
		assert.Equal(t, test.want, idsOf(list), "%+v", test.selectors)
	}
	n, err := e.KillAll(testkit.Within(t), procession.Selector{Labels: map[string]string{"agent": "1"}})
	require.NoError(t, err)
	assert.Equal(t, 2, n, "how many were killed")
	killed := enginetest.Info(t, e, a1)
	require.NotNil(t, killed.Exit)
	assert.Equal(t, procession.CauseKilled, killed.Exit.Cause)
	assert.Equal(t, procession.Running, enginetest.Info(t, e, a2).State)
	n, err = e.ReleaseAll(testkit.Within(t), procession.Selector{Names: []string{"a"}})
	require.NoError(t, err)
	assert.Equal(t, 3, n, "how many were released")
	list, err := e.List(testkit.Within(t))
	require.NoError(t, err)
	assert.Equal(t, []string{b1}, idsOf(list))
	n, err = e.KillAll(testkit.Within(t), procession.Selector{Names: []string{"nobody"}})
	require.NoError(t, err)
	assert.Zero(t, n, "how many were killed of none")
}
