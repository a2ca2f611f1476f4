package mcpserver

import (
	"context"
	"time"

	"github.com/modelcontextprotocol/go-sdk/mcp"
)

// report tells a client that asked for it how long a call has been waiting: at
// once, and then every so often until stop is called. total is how long it may
// wait, 0 if that is not known.
func (s *Server) report(ctx context.Context, req *mcp.CallToolRequest, total time.Duration, message func() string) (stop func()) {
	token := req.Params.GetProgressToken()
	if token == nil {
		return func() {}
	}
	ctx, cancel := context.WithCancel(ctx)
	done := make(chan struct{})
	go func() {
		defer close(done)
		begin := time.Now()
		ticks := time.NewTicker(s.options.Progress)
		defer ticks.Stop()
		for {
			err := req.Session.NotifyProgress(ctx, &mcp.ProgressNotificationParams{
				ProgressToken: token,
				Progress:      time.Since(begin).Seconds(),
				Total:         total.Seconds(),
				Message:       message(),
			})
			if err != nil {
				return // nobody listens
			}
			select {
			case <-ticks.C:
			case <-ctx.Done():
				return
			}
		}
	}()
	return func() {
		cancel()
		<-done
	}
}
