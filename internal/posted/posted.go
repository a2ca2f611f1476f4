// Package posted tells a caller when its request has been posted to the engine: what the
// caller requests after that is done after it.
package posted

import "context"

type key struct{}

// Context returns a context for one request, based on ctx. then is called when the
// request has been posted: once, on the goroutine of the caller.
func Context(ctx context.Context, then func()) context.Context {
	return context.WithValue(ctx, key{}, then)
}

// Tell calls the function that was given to Context for ctx: the request has been
// posted.
func Tell(ctx context.Context) {
	if then, ok := ctx.Value(key{}).(func()); ok {
		then()
	}
}
