package actors

import (
	"fmt"
	"testing"

	"github.com/asynkron/protoactor-go/actor"
	"github.com/stretchr/testify/assert"

	"github.com/procession-go/procession/internal/testkit"
	"github.com/procession-go/procession/messages"
)

// A nil pointer of a request is refused with an error that says that it is nil, by the
// pool and by the actor of a process.
func TestANilPointerIsRefusedAsNil(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	id := r.start(messages.Shell("sleep 1000"))
	process := actor.NewPID(r.pool.Address, r.pool.Id+"/"+id)
	for _, request := range []any{
		(*messages.StartProcess)(nil), (*messages.GetOutput)(nil), (*messages.ReadOutput)(nil), (*messages.WaitExit)(nil),
		(*messages.WaitReady)(nil), (*messages.KillProcess)(nil), (*messages.ReleaseProcess)(nil), (*messages.GetInfo)(nil),
		(*messages.ListProcesses)(nil), (*messages.KillAll)(nil), (*messages.ReleaseAll)(nil), (*messages.WriteStdin)(nil),
		(*messages.CloseStdin)(nil), (*messages.ResizeTerminal)(nil), (*messages.SendSignal)(nil), (*messages.Cancel)(nil),
		(*messages.Monitor)(nil), (*messages.Demonitor)(nil), (*messages.GetCapabilities)(nil), (*messages.Shutdown)(nil),
	} {
		want := &messages.Error{
			Code:    messages.CodeInvalidRequest,
			Message: fmt.Sprintf("%T is a nil pointer: a request is a pointer to a value", request),
		}
		assert.Equal(t, want, r.ask(request), "from the pool")
		answer, err := r.system.Root.RequestFuture(process, request, testkit.Patience).Result()
		if assert.NoError(t, err) {
			assert.Equal(t, want, answer, "from the actor of the process")
		}
	}
	assert.Equal(t, messages.Running, r.info(id).State, "a refused request has done nothing")
}
