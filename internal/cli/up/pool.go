package up

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"sync"

	"github.com/procession-go/procession"
	"github.com/procession-go/procession/internal/cli/backlog"
	"github.com/procession-go/procession/internal/cli/console"
	"github.com/procession-go/procession/internal/cli/local"
	"github.com/procession-go/procession/internal/poolfile"
)

// poolRun runs a pool. The engine's events tell most of what happens. What happens and what
// is asked for is decided upon in one queue, with poolfile.Progress.
type poolRun struct {
	runner    *local.Runner
	pool      *poolfile.Pool
	specs     []procession.Spec
	progress  *poolfile.Progress
	display   *display
	states    []state
	follows   sync.WaitGroup
	decisions *queue
	over      chan struct{} // closed when nothing is left of the processes
	failure   error         // the first
}

// state is what is known of one process.
type state struct {
	id       string // "" before it has been started
	ready    bool
	restarts int
	end      int64           // the offset after the output of the last incarnation that has ended
	exit     procession.Exit // of that
	ended    bool            // for good
}

// up runs a pool to its end.
func up(c *console.Console, flags *upFlags, pool *poolfile.Pool) (err error) {
	display, err := newDisplay(c, flags, pool)
	if err != nil {
		return err
	}
	runner, err := local.NewRunner(c)
	if err != nil {
		return err
	}
	defer func() { err = runner.TellLost(err) }()
	defer runner.Close()
	r := &poolRun{
		runner: runner, pool: pool, progress: poolfile.NewProgress(pool, flags.keepGoing), display: display,
		states: make([]state, len(pool.Processes)), decisions: newQueue(), over: make(chan struct{}),
	}
	for i := range pool.Processes {
		r.specs = append(r.specs, complete(pool.Processes[i].Spec, flags.grace))
		r.prepare(display.transcripts[r.name(i)])
	}
	runner.StopWhenAsked(func() { r.decide(r.stopAsked) }, func() {
		display.say("killing")
		runner.Kill()
	})
	display.onFailure = func() { r.decide(r.progress.Stop) }

	listening, stopListening := context.WithCancel(context.Background())
	defer stopListening()
	events := runner.Engine.Events(listening)
	go r.listen(events)
	r.decide(func() {})
	<-r.over
	r.follows.Wait()
	display.silence()
	return errors.Join(r.failure, display.failure())
}

// prepare connects a transcript with what will come.
func (r *poolRun) prepare(t *transcript) {
	screen := &backlog.Sink{Pass: t.pass}
	sinks := []*backlog.Sink{screen}
	if log := r.display.logs[t.name]; log != nil {
		sinks = append(sinks, &backlog.Sink{Write: log.Write})
	}
	t.backlog = backlog.New(sinks...)
}

// decide notes what has happened, or is asked for, and does what is due then. It does
// not wait.
func (r *poolRun) decide(what func()) {
	r.decisions.add(func() {
		what()
		r.act(r.progress.Next())
		if r.progress.Left() == 0 {
			select {
			case <-r.over:
			default:
				close(r.over)
			}
		}
	})
}

func (r *poolRun) act(due poolfile.Due) {
	for _, s := range due.Skip {
		r.display.say(fmt.Sprintf("%s not started: %s", r.name(s.Process), r.unmet(s.Because)))
	}
	for _, i := range due.Start {
		r.follows.Go(func() { r.launch(i) })
	}
	for _, i := range due.Stop {
		go r.runner.Engine.Kill(context.Background(), r.states[i].id)
	}
}

func (r *poolRun) name(i int) string { return r.pool.Processes[i].Spec.Name }

func (r *poolRun) transcript(i int) *transcript { return r.display.transcripts[r.name(i)] }

// unmet says why a dependency cannot hold any more.
func (r *poolRun) unmet(d poolfile.Dependency) string {
	for i := range r.states {
		switch {
		case r.name(i) != d.Name:
		case r.states[i].id == "":
			return d.Name + " was not started"
		case d.Condition == poolfile.Ready:
			return d.Name + " ended before it was ready"
		default:
			return d.Name + " failed: " + endText(r.states[i].exit)
		}
	}
	return d.Name + " is not " + d.Condition.String()
}

// launch starts a process, and passes its output on to its end.
func (r *poolRun) launch(i int) {
	transcript := r.transcript(i)
	defer transcript.finish()
	m, err := r.runner.Start(r.specs[i])
	if err != nil {
		transcript.backlog.Close()
		r.decide(func() { r.startFailed(i, err) })
		return
	}
	r.decide(func() { r.began(i, m.ID, m.PID) })
	<-transcript.begun
	if log := r.display.logs[m.Name]; log != nil {
		defer log.Close()
	}
	if err := r.runner.FollowBy(transcript.backlog, m); err != nil && r.runner.UnlessKilled(err) != nil {
		r.display.fail(err)
	}
	if _, err := r.runner.Engine.Wait(context.Background(), m.ID); err != nil { // then no event tells of its end
		r.decide(func() { r.lost(i, err) })
	}
}

// stopAsked is that a signal asks for the end.
func (r *poolRun) stopAsked() {
	if r.progress.Stopping() {
		r.display.say(r.runner.WaitsFor())
		return
	}
	r.display.say("stopping; Ctrl-C again to kill")
	r.progress.Stop()
}

// began notes that a process runs. It may be told twice.
func (r *poolRun) began(i int, id string, pid int) {
	if r.states[i].id != "" {
		return
	}
	r.states[i].id = id
	transcript := r.transcript(i)
	transcript.id = id
	transcript.say(0, false, fmt.Sprintf("started (pid %d)", pid))
	close(transcript.begun)
	r.progress.Started(i)
	if r.specs[i].Ready == nil { // it is ready since it runs, however soon it has ended
		r.progress.Ready(i)
	}
}

func (r *poolRun) startFailed(i int, err error) {
	if r.states[i].id != "" { // it ran, and the engine was closed
		r.lost(i, err)
		return
	}
	r.progress.StartFailed(i)
	if r.runner.UnlessKilled(err) == nil {
		return
	}
	err = r.startError(i, err)
	r.display.say(r.name(i) + " not started: " + err.Error() + r.consequence())
	r.fail(console.ExitStatus(console.StartCode(err)))
}

// startError is why a process could not be started: that its directory is missing
// looks the same as a missing program.
func (r *poolRun) startError(i int, err error) error {
	if _, missing := os.Stat(r.specs[i].Dir); missing != nil && errors.Is(err, fs.ErrNotExist) {
		return missing
	}
	return err
}

// becameReady notes that a process has become ready, for the first time or again.
func (r *poolRun) becameReady(i int) {
	if r.states[i].ready || r.specs[i].Ready == nil {
		return
	}
	r.states[i].ready = true
	transcript := r.transcript(i)
	if info, err := r.runner.Engine.Info(context.Background(), r.states[i].id); err == nil {
		transcript.await(info.OutputBytes)
		transcript.say(info.OutputBytes, false, "ready")
	}
	r.progress.Ready(i)
}

// restarting says that an incarnation has ended and another will follow.
func (r *poolRun) restarting(i int, delay string) {
	one := &r.states[i]
	one.restarts++
	transcript := r.transcript(i)
	transcript.await(one.end)
	transcript.say(one.end, true, r.howEnded(i, false)+", restarting in "+delay)
}

// ended notes that a process has ended for good.
func (r *poolRun) ended(i int) {
	one := &r.states[i]
	if one.ended {
		return
	}
	one.ended = true
	exit := one.exit
	asked := r.progress.StopAsked(i) || exit.Cause == procession.CauseShutdown
	text := r.howEnded(i, asked)
	stopping, gaveUp := r.progress.Stopping(), !asked && exit.GaveUp
	if gaveUp {
		text += ", and gave up after " + count(one.restarts, "restart")
	}
	r.progress.Ended(i, succeeded(exit) && !gaveUp)
	if !asked && (gaveUp || !succeeded(exit)) {
		r.fail(console.ExitStatus(max(console.CodeOf(exit), 1)))
	}
	if !stopping {
		text += r.consequence()
	}
	transcript := r.transcript(i)
	transcript.await(one.end)
	transcript.say(one.end, true, text)
	go r.clear(i, one.id)
}

// lost notes that nothing can be known of a process any more.
func (r *poolRun) lost(i int, err error) {
	if r.states[i].ended {
		return
	}
	r.states[i].ended = true
	if r.runner.UnlessKilled(err) != nil {
		r.fail(err)
	}
	r.progress.Ended(i, false)
	go r.clear(i, r.states[i].id)
}

// clear gives what its leader has left behind its grace.
func (r *poolRun) clear(i int, id string) {
	r.runner.Engine.Kill(context.Background(), id)
	r.decide(func() { r.progress.Gone(i) })
}

// consequence is what is said of the rest when a process has ended.
func (r *poolRun) consequence() string {
	if r.progress.Stopping() && r.progress.Running() > 0 {
		return "; stopping the rest"
	}
	return ""
}

// fail notes the first failure, which makes the exit code.
func (r *poolRun) fail(err error) {
	if r.failure == nil {
		r.failure = err
	}
}

// howEnded says how the last incarnation of a process has ended.
func (r *poolRun) howEnded(i int, asked bool) string {
	switch exit := r.states[i].exit; {
	case exit.StartError != nil:
		return "not started again: " + r.startError(i, exit.StartError).Error()
	case asked:
		return "stopped: " + endText(exit)
	default:
		return "exited: " + endText(exit)
	}
}

func succeeded(exit procession.Exit) bool {
	return exit.Success() && exit.Cause == procession.CauseExited
}

// endText is how a process has ended, why if that is not plain, and whether its output
// was cut.
func endText(exit procession.Exit) string {
	text := exit.String()
	switch {
	case exit.StartError != nil:
		return exit.StartError.Error()
	case exit.Reason != "":
		text += " (" + exit.Reason + ")"
	case exit.Cause == procession.CauseTimeout, exit.Cause == procession.CauseCrashed:
		text += " (" + exit.Cause.String() + ")"
	}
	if exit.OutputCut {
		text += ", output cut: " + local.CutText(exit)
	}
	return text
}

// count is "1 restart", "2 restarts".
func count(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}
