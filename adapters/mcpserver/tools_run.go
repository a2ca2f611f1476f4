package mcpserver

import (
	"context"
	"errors"
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/procession-go/procession"
	"github.com/procession-go/procession/messages"
)

// yieldPatience is how long run_command waits unless a call says otherwise.
const yieldPatience = 30 * time.Second

// runCommand starts a process, and answers when it has ended, or after a while with what there
// is so far. If it answers with an error, nothing of the process is left: the client does not
// know it.
func (s *session) runCommand(c call, in runParams) (_ string, _ runResult, err error) {
	yield, err := secondsOr("yield_seconds", in.YieldSeconds, yieldPatience)
	if err != nil {
		return "", runResult{}, err
	}
	limit, err := textLimit(in.MaxBytes, s.server.options)
	if err != nil {
		return "", runResult{}, err
	}
	deadline, closes := time.Now().Add(yield), !in.Stdin
	in.Stdin = in.Stdin || in.Input != ""
	info, err := s.begin(c, in.startParams)
	if err != nil {
		return "", runResult{}, err
	}
	defer func() {
		if err == nil {
			err = c.Err()
		}
		if err != nil {
			s.undo(info.ID)
		}
	}()
	problem := s.give(info.ID, in.Input, closes)
	if err := s.await(c, info.ID, yield, deadline); err != nil {
		return "", runResult{}, err
	}
	text, output, _, err := s.read(c, info.ID, query{limit: limit})
	if err != nil {
		return "", runResult{}, err
	}
	if output.State == procession.Exited.String() { // so the input has an end as well
		text += <-problem
	}
	return text, runResult{outputResult: output, PID: info.PID}, nil
}

// await returns when a process has ended, or the deadline has passed.
func (s *session) await(c call, id string, total time.Duration, deadline time.Time) error {
	defer s.server.report(c, c.CallToolRequest, total, func() string { return s.progress(c, id) })()
	ctx, cancel := context.WithDeadline(c, deadline)
	defer cancel()
	if _, err := s.server.engine.Wait(ctx, id); err != nil && (c.Err() != nil || !errors.Is(err, context.DeadlineExceeded)) {
		return err
	}
	return nil
}

// give sends input to a process, and end-of-file after it if closes. It is on its way when this
// returns, so that what is sent later comes after it. What the process does not read waits for
// it, beyond the call that it came with. Once all of that has had its end, a model is to be told
// the problem: a process need not read what it is given, but what a terminal does not take is
// lost.
func (s *session) give(id, input string, closes bool) (problem <-chan string) {
	told := make(chan string, 1)
	if input == "" {
		told <- ""
		return told
	}
	root, pool := s.server.engine.System().Root, s.server.engine.Pool()
	answers := []*actor.Future{root.RequestFuture(pool, &messages.WriteStdin{ID: id, Data: []byte(input)}, -1)}
	if closes {
		answers = append(answers, root.RequestFuture(pool, &messages.CloseStdin{ID: id}, -1))
	}
	go func() {
		for _, answer := range answers {
			result, _ := answer.Result()
			if refusal, is := result.(*messages.Error); is && refusal.Code != messages.CodeStdinClosed {
				told <- "\n[input: " + refusal.Error() + "]"
				return
			}
		}
		told <- ""
	}()
	return told
}
