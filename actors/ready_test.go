//go:build linux

package actors_test

import (
	"net"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"sync/atomic"
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

func TestReadyWhenItRuns(t *testing.T) {
	e := enginetest.New(t)
	id := enginetest.Start(t, e, procession.Spec{Command: "sleep", Args: []string{"1000"}})
	require.NoError(t, e.WaitReady(testkit.Within(t), id))
	assert.True(t, enginetest.Info(t, e, id).Ready)
}

func TestWhatWasReadyIsNotReadyAfterItsEnd(t *testing.T) {
	t.Parallel()
	e := enginetest.New(t)
	for name, ready := range map[string]*procession.Probe{"without a probe": nil, "with one": {Pattern: "^up$"}} {
		spec := procession.Shell("echo up; read line; exit 3")
		spec.Stdin, spec.Ready = true, ready
		id := enginetest.Start(t, e, spec)
		require.NoError(t, e.WaitReady(testkit.Within(t), id))
		require.NoError(t, e.CloseStdin(testkit.Within(t), id))
		enginetest.Wait(t, e, id)
		err := e.WaitReady(testkit.Within(t), id)
		require.ErrorIs(t, err, procession.ErrExited, name)
		assert.NotContains(t, err.Error(), "before it was ready", name)
		assert.ErrorContains(t, err, "exit status 3", name)
	}
}

func TestReadyWhenAProbeHolds(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer listener.Close()
	var asked atomic.Int32
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		if asked.Add(1) < 3 {
			w.WriteHeader(http.StatusServiceUnavailable)
			return
		}
		w.Header().Set("Location", "/elsewhere")
		w.WriteHeader(http.StatusFound)
	}))
	defer server.Close()
	file := filepath.Join(t.TempDir(), "file")
	for name, probe := range map[string]procession.Probe{
		"pattern":              {Pattern: "^listening on [0-9]+$"},
		"pattern without end":  {Pattern: "password: $"},
		"tcp":                  {TCP: listener.Addr().String()},
		"http":                 {HTTP: server.URL},
		"exec":                 {Exec: []string{"test", "-e", file}},
		"all":                  {Pattern: "on 80", TCP: listener.Addr().String(), HTTP: server.URL, Exec: []string{"test", "-e", file}},
		"exec with descendant": {Exec: []string{"sh", "-c", "sleep 1000 & test -e " + file}},
	} {
		t.Run(name, func(t *testing.T) {
			e := enginetest.New(t)
			spec := procession.Shell(`echo listen; sleep 0.1; touch ` + file + `; echo ing; echo listening on 80; printf 'password: '; sleep 1000`)
			probe.Interval = 10 * time.Millisecond
			spec.Ready = &probe
			id := enginetest.Start(t, e, spec)
			require.NoError(t, e.WaitReady(testkit.Within(t), id))
			assert.True(t, enginetest.Info(t, e, id).Ready, "after WaitReady")
			if name == "http" {
				assert.GreaterOrEqual(t, asked.Load(), int32(3), "503 was taken for ready")
			}
			enginetest.Kill(t, e, id)
			assert.False(t, enginetest.Info(t, e, id).Ready, "after its end")
		})
	}
}

func TestAProbeThatNeverHoldsEndsTheIncarnation(t *testing.T) {
	for name, test := range map[string]struct {
		probe procession.Probe
		says  string
	}{
		"pattern": {procession.Probe{Pattern: "never"}, `"never"`},
		"tcp":     {procession.Probe{TCP: "127.0.0.1:1"}, "refused"},
		"http":    {procession.Probe{HTTP: "http://127.0.0.1:1/"}, "refused"},
		"exec":    {procession.Probe{Exec: []string{"false"}}, "exit status 1"},
		"no exec": {procession.Probe{Exec: []string{"/nope"}}, "no such file"},
		"hangs":   {procession.Probe{Exec: []string{"sh", "-c", "sleep 1000 & wait"}}, "not ready within 100ms"},
	} {
		t.Run(name, func(t *testing.T) {
			e := enginetest.New(t)
			spec := procession.Shell("echo up; sleep 1000")
			test.probe.Timeout, test.probe.Interval = 100*time.Millisecond, 10*time.Millisecond
			spec.Ready, spec.Restart = &test.probe, enginetest.Quick
			spec.Restart.MaxRestarts = 1
			id := enginetest.Start(t, e, spec)
			err := e.WaitReady(testkit.Within(t), id)
			assert.ErrorIs(t, err, procession.ErrExited)
			assert.ErrorContains(t, err, test.says)
			exit := enginetest.Wait(t, e, id)
			assert.Equal(t, procession.CauseNotReady, exit.Cause)
			assert.Contains(t, exit.Reason, test.says)
			assert.Equal(t, 1, enginetest.Info(t, e, id).Restarts)
		})
	}
}

// What says that a process is ready counts, however soon its leader has exited after
// it, and is told before its exit.
func TestReadyHoweverSoonItHasExited(t *testing.T) {
	e := enginetest.New(t)
	for name, spec := range map[string]procession.Spec{
		"a line":             {Command: "/bin/echo", Args: []string{"ready"}},
		"on stderr, failing": procession.Shell("echo ready >&2; exit 3"),
		"no end of line":     procession.Shell("printf ready"),
		"killed by itself":   procession.Shell("echo ready; kill -9 $$"),
		"a daemon of its":    procession.Shell("(sleep 0.05; echo ready) & exit 0"),
	} {
		t.Run(name, func(t *testing.T) {
			told := enginetest.Collect(t, e)
			spec.Ready = &procession.Probe{Pattern: "^ready$"}
			for range 20 {
				id := enginetest.Start(t, e, spec)
				enginetest.Wait(t, e, id)
				i := enginetest.Info(t, e, id)
				require.Len(t, i.Incarnations, 1)
				assert.True(t, i.Incarnations[0].Ready, "it had not become ready")
				assert.False(t, i.Ready, "ready after its end")
				got := told.Await(t, func(m procession.Event) bool { exited, is := m.(*messages.ProcessExited); return is && exited.ID == id })
				assert.Contains(t, enginetest.Kinds(got), "Ready")
				assert.Equal(t, i.OutputBytes, got[len(got)-1].(*messages.ProcessExited).End)
			}
		})
	}
	t.Run("not what it never said", func(t *testing.T) {
		spec := procession.Shell("echo no")
		spec.Ready = &procession.Probe{Pattern: "^ready$"}
		id := enginetest.Start(t, e, spec)
		enginetest.Wait(t, e, id)
		assert.False(t, enginetest.Info(t, e, id).Incarnations[0].Ready)
	})
}

// Who is told that it is ready finds the line by which it is in the output.
func TestWhatMadeItReadyIsInTheOutput(t *testing.T) {
	e := enginetest.New(t)
	spec := procession.Shell(`echo ready; exec sleep 1000`)
	spec.Ready = &procession.Probe{Pattern: "^ready$"}
	for range 100 {
		id := enginetest.Start(t, e, spec)
		require.NoError(t, e.WaitReady(testkit.Within(t), id))
		require.Equal(t, "ready\n", enginetest.Output(t, e, id).Stdout())
		require.NoError(t, e.Release(testkit.Within(t), id))
	}
}

// What a pattern is looked for in need not be retained.
func TestAPatternIsFoundInMoreThanTheLimit(t *testing.T) {
	t.Parallel()
	e := enginetest.New(t)
	spec := program.Spec("burst", "ready", "60000")
	spec.OutputLimit, spec.Ready = 100, &procession.Probe{Pattern: "^ready$"}
	id := enginetest.Start(t, e, spec)
	require.NoError(t, e.WaitReady(testkit.Within(t), id))
	ctx := testkit.Within(t)
	testkit.Eventually(t, func(c *assert.CollectT) {
		info, err := e.Info(ctx, id)
		require.NoError(c, err)
		assert.EqualValues(c, 60006, info.OutputBytes)
	})
	got := enginetest.Info(t, e, id)
	assert.True(t, got.Ready)
	assert.LessOrEqual(t, got.Retained, int64(100))
}

func TestAnHTTPProbeThatHangsHoldsUpNobody(t *testing.T) {
	t.Parallel()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	accepted, closed := make(chan net.Conn, 100), make(chan struct{})
	go func() {
		defer close(closed)
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			accepted <- conn // and never answers
		}
	}()
	t.Cleanup(func() {
		listener.Close()
		<-closed
		for len(accepted) > 0 {
			(<-accepted).Close()
		}
	})
	e := enginetest.New(t)
	url := "http://" + listener.Addr().String() + "/health"
	spec := procession.Shell("sleep 1000")
	spec.Ready = &procession.Probe{HTTP: url}
	id := enginetest.Start(t, e, spec)
	conn := <-accepted // now it hangs
	defer conn.Close()
	begin := time.Now()
	for range 10 {
		got := enginetest.Info(t, e, id)
		assert.Equal(t, procession.Running, got.State)
		assert.False(t, got.Ready)
	}
	assert.LessOrEqual(t, time.Since(begin), 4*time.Second, "ten answers; the attempt takes 5 s")
	enginetest.Kill(t, e, id)

	spec.Ready.Timeout = 100 * time.Millisecond
	id = enginetest.Start(t, e, spec)
	err = e.WaitReady(testkit.Within(t), id)
	assert.ErrorIs(t, err, procession.ErrExited)
	assert.ErrorContains(t, err, url)
	exit := enginetest.Wait(t, e, id)
	assert.Equal(t, procession.CauseNotReady, exit.Cause)
	assert.Contains(t, exit.Reason, url)
}

func TestAPortThatIsNoneIsRefused(t *testing.T) {
	t.Parallel()
	e := enginetest.New(t)
	for _, address := range []string{"127.0.0.1:99999", "127.0.0.1:65536", "127.0.0.1:-1", "127.0.0.1", ":::1"} {
		spec := procession.Shell("sleep 1000")
		spec.Ready = &procession.Probe{TCP: address}
		_, err := e.Start(testkit.Within(t), spec)
		assert.ErrorIs(t, err, procession.ErrInvalidSpec, address)
		assert.ErrorContains(t, err, "Ready.TCP", address)
	}
}
