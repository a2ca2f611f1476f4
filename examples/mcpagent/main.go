// Command mcpagent does what an agent does with the tools of procession mcp, and
// prints what it asks and what it is told: it starts a dev server, waits for its
// "ready" line, runs tests against it, reads a failure, and stops the server.
// The transcript in docs/agents.md is what it prints.
//
//	go run ./examples/mcpagent
package main

import (
	"context"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"

	"github.com/modelcontextprotocol/go-sdk/mcp"
)

func main() {
	var err error
	switch {
	case len(os.Args) == 1:
		err = agent(context.Background())
	case os.Args[1] == "serve":
		err = serve()
	case os.Args[1] == "test" && len(os.Args) > 2:
		err = test(os.Args[2])
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// agent is a model that always says the same.
func agent(ctx context.Context) error {
	self, err := os.Executable()
	if err != nil {
		return err
	}
	cmd := exec.Command("go", "run", "./cmd/procession", "mcp")
	cmd.Env = append(os.Environ(), "APP="+self)
	cmd.Stderr = os.Stderr
	client := mcp.NewClient(&mcp.Implementation{Name: "mcpagent", Version: "1"}, nil)
	session, err := client.Connect(ctx, &mcp.CommandTransport{Command: cmd}, nil)
	if err != nil {
		return err
	}
	defer session.Close()
	a := conversation{ctx, session}
	type in = map[string]any

	a.say("I start the dev server.")
	server := a.use("start_process", in{"command": `"$APP" serve`, "name": "dev-server"})["process_id"]
	a.say("Before I test it, it must listen.")
	ready := a.use("wait_for_output", in{"process_id": server, "pattern": "ready|error"})
	a.say("It does. Now the tests.")
	a.use("run_command", in{"command": `"$APP" test http://127.0.0.1:8643`, "name": "tests"})
	a.say("One has failed. What does the server say to that?")
	a.use("get_process_output", in{"process_id": server, "cursor": ready["next_cursor"], "filter_lines": "(?i)error|panic"})
	a.say("That is the mistake. I stop the server before I correct it.")
	a.use("kill_process", in{"process_id": server})
	a.use("list_processes", in{})
	return nil
}

type conversation struct {
	ctx     context.Context
	session *mcp.ClientSession
}

func (c conversation) say(text string) { fmt.Printf("## %s\n\n", text) }

// use uses a tool.
func (c conversation) use(tool string, in map[string]any) map[string]any {
	arguments, _ := json.Marshal(in)
	fmt.Printf("-> %s %s\n", tool, arguments)
	answer, err := c.session.CallTool(c.ctx, &mcp.CallToolParams{Name: tool, Arguments: in})
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	fmt.Printf("%s\n\n", answer.Content[0].(*mcp.TextContent).Text)
	result, _ := answer.StructuredContent.(map[string]any)
	return result
}

// serve is the dev server: it has a mistake in it.
func serve() error {
	fmt.Println("compiling…")
	l, err := net.Listen("tcp", "127.0.0.1:8643")
	if err != nil {
		return err
	}
	fmt.Printf("\x1b[32mready\x1b[0m on http://%v\n", l.Addr())
	return http.Serve(l, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		fmt.Println(r.Method, r.URL)
		if r.URL.Path == "/users" {
			fmt.Println("ERROR users.go:17: no such table: user")
			http.Error(w, "internal error", http.StatusInternalServerError)
			return
		}
		fmt.Fprintln(w, "hello")
	}))
}

// test is the tests.
func test(url string) error {
	failed := 0
	for _, path := range []string{"/", "/users"} {
		answer, err := http.Get(url + path)
		if err != nil {
			return err
		}
		answer.Body.Close()
		if answer.StatusCode == http.StatusOK {
			fmt.Printf("ok    GET %s\n", path)
			continue
		}
		failed++
		fmt.Printf("FAIL  GET %s: status %d, want 200\n", path, answer.StatusCode)
	}
	if failed > 0 {
		fmt.Printf("%d of 2 tests failed\n", failed)
		os.Exit(1)
	}
	return nil
}
