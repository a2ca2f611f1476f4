package procession_test

import (
	"context"
	"fmt"
	"log"
	"log/slog"
	"regexp"
	"strings"
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/procession-go/procession"
	"github.com/procession-go/procession/messages"
)

// Start a process, read what it prints while it runs, wait for it, and end
// everything.
func Example() {
	ctx := context.Background()
	eng, err := procession.New()
	if err != nil {
		log.Fatal(err)
	}
	defer eng.Shutdown(ctx)

	id, err := eng.Start(ctx, procession.Shell("for i in 1 2 3; do echo tick $i; done; exit 3"))
	if err != nil {
		log.Fatal(err)
	}
	for chunk, err := range eng.Follow(ctx, id, procession.ReadOptions{}) {
		if err != nil {
			log.Fatal(err)
		}
		for _, segment := range chunk.Segments {
			fmt.Printf("%s", segment.Data)
		}
	}
	exit, err := eng.Wait(ctx, id)
	fmt.Println(exit, err)
	// Output:
	// tick 1
	// tick 2
	// tick 3
	// exit status 3 <nil>
}

// Kill ends a process and everything that it spawned, and returns when all of it
// is dead.
func ExampleEngine_Kill() {
	ctx := context.Background()
	eng, _ := procession.New(procession.WithGrace(time.Minute))
	defer eng.Shutdown(ctx)

	id, _ := eng.Start(ctx, procession.Shell("sleep 1000 & sleep 1000"))
	exit, _ := eng.Kill(ctx, id)
	fmt.Println(exit, exit.Cause)
	// Output: signal: SIGTERM killed
}

// builder is an actor that runs a command for each string that it is sent, one at
// a time.
type builder struct {
	pool    *actor.PID
	id      string
	results chan<- string
}

func (b *builder) Receive(ctx actor.Context) {
	switch m := ctx.Message().(type) {
	case string:
		// The process ends with this actor.
		ctx.Request(b.pool, &messages.StartProcess{Spec: procession.Shell(m), Owner: ctx.Self()})
	case *messages.ProcessStarted:
		b.id = m.ID
		ctx.Request(b.pool, &messages.WaitExit{ID: b.id})
	case *messages.Exit:
		ctx.Request(b.pool, &messages.GetOutput{ID: b.id})
	case *messages.Output:
		b.results <- m.Combined() + m.Exit.String()
	case *messages.Error:
		b.results <- m.Error()
	}
}

func discard(*actor.ActorSystem) *slog.Logger { return slog.New(slog.DiscardHandler) }

// An actor of the caller's own, in the caller's own actor system, uses the
// engine by message.
func Example_actor() {
	ctx := context.Background()
	system := actor.NewActorSystem(actor.WithLoggerFactory(discard))
	eng, err := procession.New(procession.WithActorSystem(system))
	if err != nil {
		log.Fatal(err)
	}
	defer eng.Shutdown(ctx)

	results := make(chan string)
	build := system.Root.Spawn(actor.PropsFromProducer(func() actor.Actor {
		return &builder{pool: eng.Pool(), results: results}
	}))
	system.Root.Send(build, "echo built; exit 2")
	fmt.Println(<-results)
	system.Root.StopFuture(build).Wait()
	// Output:
	// built
	// exit status 2
}

// agent is an actor that has a server, and what that starts, in the background
// for as long as it lives.
type agent struct {
	pool    *actor.PID
	started chan<- string
}

func (a *agent) Receive(ctx actor.Context) {
	switch m := ctx.Message().(type) {
	case *actor.Started:
		server := procession.Shell("setsid sleep 1000 & sleep 1000")
		ctx.Request(a.pool, &messages.StartProcess{Spec: server, Owner: ctx.Self()})
	case *messages.ProcessStarted:
		a.started <- m.ID
	}
}

// The processes of an actor end with it, for whatever reason it stops: it need
// not remember them.
func Example_owner() {
	ctx := context.Background()
	eng, err := procession.New()
	if err != nil {
		log.Fatal(err)
	}
	defer eng.Shutdown(ctx)

	started := make(chan string)
	owner := eng.System().Root.Spawn(actor.PropsFromProducer(func() actor.Actor {
		return &agent{pool: eng.Pool(), started: started}
	}))
	id := <-started
	events := eng.Events(ctx)
	eng.System().Root.Stop(owner)
	for event := range events {
		if released, ok := event.(*messages.ProcessReleased); ok && released.ID == id {
			break
		}
	}
	left, err := eng.List(ctx)
	fmt.Println(len(left), "processes are left,", err)
	// Output: 0 processes are left, <nil>
}

// A REPL, here a shell: wait for its prompt, send a line, read the answer,
// which is what is new on its standard output.
func Example_repl() {
	ctx := context.Background()
	eng, err := procession.New()
	if err != nil {
		log.Fatal(err)
	}
	defer eng.Shutdown(ctx)

	id, err := eng.Start(ctx, procession.Spec{Command: "sh", Args: []string{"-i"}, Env: map[string]string{"PS1": "> "}, Stdin: true})
	if err != nil {
		fmt.Println(err)
		return
	}
	if _, err := eng.WaitFor(ctx, id, regexp.MustCompile(`^> $`)); err != nil {
		fmt.Println(err)
		return
	}
	info, _ := eng.Info(ctx, id)
	eng.Write(ctx, id, []byte("echo $((6 * 7))\n"))
	answer := ""
	for chunk, err := range eng.Follow(ctx, id, procession.ReadOptions{Cursor: info.OutputBytes}) {
		if err != nil {
			fmt.Println(err)
			return
		}
		answer += procession.Output{Segments: chunk.Segments}.Stdout()
		if strings.HasSuffix(answer, "\n") {
			break
		}
	}
	fmt.Print(answer)
	eng.CloseStdin(ctx, id)
	exit, err := eng.Wait(ctx, id)
	fmt.Println(exit, err)
	// Output:
	// 42
	// exit status 0 <nil>
}
