// Package posted tells who asks the engine for something when that has been posted to it:
// what is asked for after that is done after it.
package posted

import "context"

type key struct{}

// Context is ctx for one request, of which then is called when it has been posted. It is
// called once for each request, on the goroutine that asks.
func Context(ctx context.Context, then func()) context.Context {
	return context.WithValue(ctx, key{}, then)
}

// Tell calls who is to hear that a request with ctx has been posted.
func Tell(ctx context.Context) {
	if then, ok := ctx.Value(key{}).(func()); ok {
		then()
	}
}
