// Package procession runs operating system processes and never leaks one, never
// hangs on one, and never loses the end of its output.
//
// Every process is looked after by an actor of its own; a pool actor starts,
// routes, supervises and ends them. [Engine] is the face for callers who are not
// actors:
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
// What a process spawned ends with it, wherever it went. A process whose engine
// dies ends too; with [WithGuardian], so does everything that it spawned.
package procession
