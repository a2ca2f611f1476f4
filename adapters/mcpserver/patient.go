package mcpserver

import (
	"net/http"
	"sync"
	"time"
)

// writePatience is how long a client may read nothing of an answer.
var writePatience = 10 * time.Second // shorter in tests

// patientWriter writes a response to a client that may stop to read: then the writing fails,
// and the connection ends. It decides whether an answer is written whose call was cancelled.
type patientWriter struct {
	http.ResponseWriter
	connection *http.ResponseController
	arrival    *arrival
	written    bool // something of the response
	refuses    bool // it is that of an error

	mu    sync.Mutex
	limit time.Time // of all writing, zero for none
}

// patient serves with writers that are patient.
func patient(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		p := &patientWriter{ResponseWriter: w, connection: http.NewResponseController(w)}
		defer p.extend() // of what net/http writes then
		next.ServeHTTP(p, r)
	})
}

// extend gives the client time until what is written next must be read.
func (w *patientWriter) extend() {
	w.mu.Lock()
	defer w.mu.Unlock()
	deadline := time.Now().Add(writePatience)
	if !w.limit.IsZero() && w.limit.Before(deadline) {
		deadline = w.limit
	}
	w.connection.SetWriteDeadline(deadline) // where there is none, the client may take its time
}

// hurry ends the patience soon, also with what is being written.
func (w *patientWriter) hurry() {
	w.mu.Lock()
	w.limit = time.Now().Add(linger)
	w.mu.Unlock()
	w.extend()
}

func (w *patientWriter) WriteHeader(status int) {
	w.written, w.refuses = true, status >= http.StatusBadRequest
	w.extend()
	w.ResponseWriter.WriteHeader(status)
}

// atOnce is how much is written at a time, so that a client that reads slowly has time for
// each. The kernel takes more when it has room for some 100 KiB, so that nobody is cut who
// reads 32 KiB a second.
const atOnce = 8 << 10

// bufferBytes is what the kernel keeps of what a client has not taken.
const bufferBytes = 64 << 10

func (w *patientWriter) Write(data []byte) (n int, err error) {
	if w.arrival.awaitsAnswer() {
		if err := w.arrival.answer(); err != nil {
			return 0, err
		}
		w.arrival.shrink(2 * len(data)) // the SDK has it, and its event
	}
	w.written = true
	if w.refuses && len(data) > longestError {
		_, err := w.ResponseWriter.Write([]byte(elided(string(data))))
		return len(data), err
	}
	for len(data) > 0 && err == nil {
		var m int
		w.extend()
		m, err = w.ResponseWriter.Write(data[:min(len(data), atOnce)])
		n, data = n+m, data[m:]
	}
	return n, err
}

func (w *patientWriter) FlushError() error {
	w.extend()
	return w.connection.Flush()
}

// Unwrap is for http.ResponseController.
func (w *patientWriter) Unwrap() http.ResponseWriter { return w.ResponseWriter }
