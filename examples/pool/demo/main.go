// Command demo is the programs of the example pool: a migration, a web server, a
// worker that asks it for jobs, and something that waits for it.
//
// The server is at DEMO_ADDR, 127.0.0.1:7878 without it. The worker ends after
// DEMO_JOBS jobs, never without it.
package main

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/signal"
	"strconv"
	"sync/atomic"
	"syscall"
	"time"
)

var programs = map[string]func(addr string) error{"migrate": migrate, "web": web, "worker": worker, "wait": wait}

func main() {
	if len(os.Args) != 2 || programs[os.Args[1]] == nil {
		fmt.Fprintln(os.Stderr, "usage: demo migrate|web|worker|wait")
		os.Exit(2)
	}
	if err := programs[os.Args[1]](cmp.Or(os.Getenv("DEMO_ADDR"), "127.0.0.1:7878")); err != nil {
		fmt.Fprintf(os.Stderr, "demo %s: %v\n", os.Args[1], err)
		os.Exit(1)
	}
}

// migrate is done once, before anything else.
func migrate(string) error {
	for _, table := range []string{"users", "jobs"} {
		fmt.Println("created table", table)
	}
	return nil
}

// web serves jobs, but not to the first two who ask. It ends when it is asked to.
func web(addr string) error {
	listener, err := net.Listen("tcp", addr)
	if err != nil {
		return err
	}
	var asked atomic.Int64
	mux := http.NewServeMux()
	mux.HandleFunc("GET /health", func(http.ResponseWriter, *http.Request) {})
	mux.HandleFunc("GET /job", func(w http.ResponseWriter, _ *http.Request) {
		n := asked.Add(1)
		if n <= 2 {
			http.Error(w, "the queue is being filled", http.StatusServiceUnavailable)
			return
		}
		fmt.Printf("gave away job %d\n", n-2)
		fmt.Fprintf(w, "job %d", n-2)
	})
	server := &http.Server{Handler: mux, ReadHeaderTimeout: 5 * time.Second}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	closed := make(chan error, 1)
	context.AfterFunc(ctx, func() { closed <- server.Shutdown(context.Background()) })
	fmt.Printf("listening on http://%s\n", listener.Addr())
	if err := server.Serve(listener); err != http.ErrServerClosed {
		return err
	}
	fmt.Println("closed")
	return <-closed
}

// worker asks for jobs, and fails when it gets none.
func worker(addr string) error {
	jobs, _ := strconv.Atoi(os.Getenv("DEMO_JOBS"))
	for n := 1; ; n++ {
		job, err := get("http://" + addr + "/job")
		if err != nil {
			return err
		}
		fmt.Println("did", job)
		if n == jobs {
			return nil
		}
		time.Sleep(time.Second)
	}
}

// wait waits until the server answers.
func wait(addr string) error {
	for {
		if _, err := get("http://" + addr + "/health"); err == nil {
			return nil
		}
		time.Sleep(50 * time.Millisecond)
	}
}

func get(url string) (string, error) {
	response, err := http.Get(url)
	if err != nil {
		return "", err
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err == nil && response.StatusCode != http.StatusOK {
		err = fmt.Errorf("%s: %s", response.Status, bytes.TrimSpace(body))
	}
	return string(body), err
}
