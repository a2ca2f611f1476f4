package mcpserver

import (
	"bytes"
	"cmp"
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
		body, err := io.ReadAll(http.MaxBytesReader(unwrapped(w), r.Body, int64(s.options.MaxMessage)))
		if timed {
			connection.SetReadDeadline(time.Time{}) // of the wait for the client to vanish
		}
		if err != nil {
			refuseBody(w, err)
			return
		}
		messages, batch := messagesOf(body)
		for _, message := range messages {
			err = cmp.Or(err, wrongMessage(message))
		}
		if err != nil || moreThanOne(body) {
			refuseMessage(w, cmp.Or(err, errMoreThanOne))
			return
		}
		r.Body = io.NopCloser(bytes.NewReader(body))
		r.Header.Del(arrivalHeader)
		if !batch { // of protocols that nobody speaks any more
			defer s.arrive(w.(*patientWriter), r, body).leave()
		}
		next.ServeHTTP(w, r)
	})
}

// arrive notes a call of a tool, or the cancellation of one.
func (s *Server) arrive(w *patientWriter, r *http.Request, body []byte) *arrival {
	message, err := jsonrpc.DecodeMessage(body)
	request, ok := message.(*jsonrpc.Request)
	if err != nil || !ok {
		return nil // the SDK says so
	}
	session := r.Header.Get("Mcp-Session-Id")
	call := askedBy(request)
	switch {
	case request.Method == cancelledMethod:
		s.arrivals.named(session, call.id).cancel()
	case call.tool != "":
		w.arrival = s.arrivals.take(r.Context(), session, call)
		r.Header.Set(arrivalHeader, w.arrival.number)
	}
	return w.arrival
}

// messagesOf returns the messages of a body, nil if it is not JSON, which the SDK says.
func messagesOf(body []byte) (messages []members, batch bool) {
	if json.Unmarshal(body, &messages) == nil {
		return messages, true
	}
	if message := membersOf(body); message != nil {
		return []members{message}, false
	}
	return nil, false
}

var errMoreThanOne = errors.New("malformed payload: there is something behind the message")

// moreThanOne reports whether something follows the first JSON value of a body. The SDK
// drops it.
func moreThanOne(body []byte) bool {
	first := json.NewDecoder(bytes.NewReader(body))
	return !json.Valid(body) && first.Decode(new(json.RawMessage)) == nil
}

func refuseMessage(w http.ResponseWriter, err error) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(http.StatusBadRequest)
	w.Write(refusal(nil, jsonrpc.CodeInvalidRequest, err.Error()))
}

// unwrapped returns the writer of net/http, that closes the connection of a body that is too
// long.
func unwrapped(w http.ResponseWriter) http.ResponseWriter {
	if p, ok := w.(*patientWriter); ok {
		return p.ResponseWriter
	}
	return w
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
