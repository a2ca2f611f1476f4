// Package procession runs operating system processes and never leaks one, never
// hangs on one, and never loses the end of its output.
//
// Each process has an actor of its own. A pool actor starts processes, routes
// messages to them, supervises them and ends them. [Engine] is the API for callers
// that are not actors:
//
//	eng, err := procession.New()
//	id, err := eng.Start(ctx, procession.Shell("make test"))
//	exit, err := eng.Wait(ctx, id)
//	out, err := eng.Output(ctx, id)
//	report, err := eng.Shutdown(ctx)
//
// Actors use the same engine by sending the messages of package messages to
// [Engine.Pool].
//
// When a process ends, everything that it spawned ends too, even what has left its
// process group. When the engine itself dies, its processes die with it; with
// [WithGuardian], so does everything that they spawned.
package procession
