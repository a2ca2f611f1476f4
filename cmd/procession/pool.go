package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"sync"

	"github.com/procession-go/procession"
	"github.com/procession-go/procession/internal/poolfile"
)

// poolRun runs a pool. One goroutine decides, with poolfile.Progress; the others
// tell it what has happened.
type poolRun struct {
	fleet    *fleet
	pool     *poolfile.Pool
	specs    []procession.Spec
	progress *poolfile.Progress
	stage    *stage
	ids      []string          // "" before they have been started
	exits    []procession.Exit // once they have ended for good
	follows  sync.WaitGroup
	happened chan func()
	asked    chan string // to stop, and why
	failure  error       // the first
}

// up runs a pool to its end.
func up(c *console, flags *upFlags, pool *poolfile.Pool) (err error) {
	stage, err := newStage(c, flags, pool)
	if err != nil {
		return err
	}
	f, err := newFleet(c)
	if err != nil {
		return err
	}
	defer func() { err = f.tellLost(err) }()
	defer f.close()
	r := &poolRun{
		fleet: f, pool: pool, progress: poolfile.NewProgress(pool, flags.keepGoing), stage: stage,
		ids: make([]string, len(pool.Processes)), exits: make([]procession.Exit, len(pool.Processes)),
		happened: make(chan func()), asked: make(chan string, 1),
	}
	for i := range pool.Processes {
		r.specs = append(r.specs, complete(pool.Processes[i].Spec, flags.grace))
	}
	f.stopWhenAsked(func() { r.stop("stopping; Ctrl-C again to kill") }, func() {
		stage.say("killing")
		f.kill()
	})

	watching, stopWatching := context.WithCancel(context.Background())
	defer stopWatching()
	events := f.engine.Events(watching)
	go r.watch(events)
	stage.onFailure = func() { r.stop("") }
	r.run()
	r.follows.Wait()
	stage.silence()
	return errors.Join(r.failure, stage.failure())
}

// stop asks for the end, and says why. It does not wait.
func (r *poolRun) stop(why string) {
	select {
	case r.asked <- why:
	default: // it has been asked for
	}
}

// run returns when nothing is left of the processes.
func (r *poolRun) run() {
	for {
		r.act(r.progress.Next())
		if r.progress.Left() == 0 {
			return
		}
		select {
		case what := <-r.happened:
			what()
		case why := <-r.asked:
			if !r.progress.Stopping() && why != "" {
				r.stage.say(why)
			}
			r.progress.Stop()
		}
	}
}

func (r *poolRun) act(due poolfile.Due) {
	for _, s := range due.Skip {
		r.stage.say(fmt.Sprintf("%s not started: %s", r.name(s.Process), r.unmet(s.Because)))
	}
	for _, i := range due.Start {
		go r.launch(i)
	}
	for _, i := range due.Stop {
		go r.fleet.engine.Kill(context.Background(), r.ids[i])
	}
}

func (r *poolRun) name(i int) string { return r.pool.Processes[i].Spec.Name }

// unmet says why a dependency cannot hold any more.
func (r *poolRun) unmet(d poolfile.Dependency) string {
	for i := range r.ids {
		switch {
		case r.name(i) != d.Name:
		case r.ids[i] == "":
			return d.Name + " was not started"
		case d.Condition == poolfile.Ready:
			return d.Name + " ended before it was ready"
		default:
			return d.Name + " failed: " + endText(r.exits[i])
		}
	}
	return d.Name + " is not " + d.Condition.String()
}

// launch starts a process and sees it through to its end.
func (r *poolRun) launch(i int) {
	ctx, spec, track := context.Background(), r.specs[i], r.stage.tracks[r.name(i)]
	m, err := r.fleet.start(spec)
	if err != nil {
		close(track.begun)
		r.happened <- func() { r.startFailed(i, err) }
		return
	}
	track.say(0, false, fmt.Sprintf("started (pid %d)", m.PID))
	close(track.begun)
	r.follows.Go(func() {
		var others []*lane
		if log := r.stage.logs[m.Name]; log != nil {
			others = append(others, &lane{write: log.write})
			defer log.close()
		}
		err := r.fleet.follow(m, track.write, others...)
		track.finish()
		if err != nil {
			r.stage.fail(err)
		}
	})
	r.happened <- func() {
		r.ids[i] = m.ID
		r.progress.Started(i)
	}
	switch {
	case spec.Ready == nil: // it is ready since it runs, however soon it has ended
		r.happened <- func() { r.progress.Ready(i) }
	case r.fleet.engine.WaitReady(ctx, m.ID) == nil:
		if info, err := r.fleet.engine.Info(ctx, m.ID); err == nil {
			track.say(info.OutputBytes, false, "ready")
		}
		r.happened <- func() { r.progress.Ready(i) }
	}
	exit, err := r.fleet.engine.Wait(ctx, m.ID)
	info, _ := r.fleet.engine.Info(ctx, m.ID) // the engine may be closed: then what is said comes at once
	r.happened <- func() { r.ended(i, exit, err, info) }
	r.fleet.engine.Kill(ctx, m.ID) // what its leader has left behind gets its grace
	r.happened <- func() { r.progress.Gone(i) }
}

func (r *poolRun) startFailed(i int, err error) {
	r.progress.StartFailed(i)
	if r.fleet.unlessKilled(err) == nil {
		return
	}
	spec := r.specs[i]
	if _, missing := os.Stat(spec.Dir); missing != nil && errors.Is(err, fs.ErrNotExist) {
		err = missing // it looks the same as a missing program
	}
	r.stage.say(r.name(i) + " not started: " + err.Error() + r.consequence())
	r.fail(exitStatus(startCode(err)))
}

// ended notes how a process has ended for good.
func (r *poolRun) ended(i int, exit procession.Exit, err error, info procession.Info) {
	if err != nil && r.fleet.unlessKilled(err) != nil {
		r.fail(err)
	}
	asked := r.progress.StopAsked(i) || exit.Cause == procession.CauseShutdown || err != nil
	success := exit.Success() && exit.Cause == procession.CauseExited
	stopping := r.progress.Stopping()
	r.progress.Ended(i, success)
	r.exits[i] = exit
	text := "stopped: " + endText(exit)
	if !asked {
		text = "exited: " + endText(exit)
		if info.Restarts > 0 && !success {
			text += fmt.Sprintf(", and gave up after %d restarts", info.Restarts)
		}
		if !success {
			r.fail(exitStatus(max(codeOf(exit), 1)))
		}
	}
	if !stopping {
		text += r.consequence()
	}
	if err == nil {
		r.stage.tracks[r.name(i)].say(info.OutputBytes, true, text)
	}
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

// endText is how a process has ended, why if that is not plain, and whether its output
// was cut.
func endText(exit procession.Exit) string {
	text := exit.String()
	switch {
	case exit.Reason != "":
		text += " (" + exit.Reason + ")"
	case exit.Cause == procession.CauseTimeout, exit.Cause == procession.CauseCrashed:
		text += " (" + exit.Cause.String() + ")"
	}
	if exit.OutputCut {
		text += ", output cut: something that it started still held it open"
	}
	return text
}
