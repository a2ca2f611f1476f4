package mcpserver

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"time"

	"github.com/modelcontextprotocol/go-sdk/jsonrpc"
)

// bodyPatience is how long the body of a request may take.
var bodyPatience = time.Minute // shorter in tests

// received passes requests on when their bodies are there. One whose body stalls
// is no sign of life of its session, and does not hold its connection for ever.
func (s *Server) received(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodPost {
			next.ServeHTTP(w, r)
			return
		}
		connection := http.NewResponseController(w)
		timed := connection.SetReadDeadline(time.Now().Add(bodyPatience)) == nil
		body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, int64(s.options.MaxMessage)))
		if timed {
			connection.SetReadDeadline(time.Time{}) // of the wait for the client to vanish
		}
		if err != nil {
			refuseBody(w, err)
			return
		}
		if err := wrongIDsIn(body); err != nil {
			w.Header().Set("Content-Type", "application/json")
			w.WriteHeader(http.StatusBadRequest)
			w.Write(refusal(nil, jsonrpc.CodeInvalidRequest, err.Error()))
			return
		}
		r.Body = io.NopCloser(bytes.NewReader(body))
		next.ServeHTTP(w, r)
	})
}

func refuseBody(w http.ResponseWriter, err error) {
	var tooLong *http.MaxBytesError
	switch {
	case errors.As(err, &tooLong):
		http.Error(w, fmt.Sprintf("the message is longer than the %d bytes that this server takes", tooLong.Limit), http.StatusRequestEntityTooLarge)
	case errors.Is(err, os.ErrDeadlineExceeded):
		w.Header().Set("Connection", "close")
		http.Error(w, fmt.Sprintf("the message has not come within %v", bodyPatience), http.StatusRequestTimeout)
	default:
		http.Error(w, "the message cannot be read: "+err.Error(), http.StatusBadRequest)
	}
}

// wrongIDsIn is wrongIDs for a body, which may be a batch.
func wrongIDsIn(body []byte) error {
	var batch []members
	if json.Unmarshal(body, &batch) != nil {
		return wrongIDs(membersOf(body))
	}
	for _, message := range batch {
		if err := wrongIDs(message); err != nil {
			return err
		}
	}
	return nil
}
