package procession_test

import (
	"context"
	"fmt"
	"log"
	"log/slog"
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

// builder is an actor that runs a command for each string that it is sent.
type builder struct {
	pool    *actor.PID
	results chan<- string
}

func (b *builder) Receive(ctx actor.Context) {
	switch m := ctx.Message().(type) {
	case string:
		// The process ends with this actor.
		ctx.Request(b.pool, &messages.StartProcess{Spec: procession.Shell(m), Owner: ctx.Self()})
	case *messages.ProcessStarted:
		ctx.Request(b.pool, &messages.WaitExit{ID: m.ID})
		ctx.Request(b.pool, &messages.ReadOutput{ID: m.ID, ReadOptions: messages.ReadOptions{Wait: -1}})
	case *messages.Chunk:
		b.results <- string(m.Segments[0].Data)
	case *messages.Exit:
		b.results <- m.String()
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
	fmt.Print(<-results)
	fmt.Println(<-results)
	system.Root.StopFuture(build).Wait()
	// Output:
	// built
	// exit status 2
}
