// Command mcpclient connects to an MCP server of processes, lists its tools and
// runs a command through it:
//
//	go run ./examples/mcpclient
//	go run ./examples/mcpclient -- procession mcp --root /work
//	go run ./examples/mcpclient -url http://127.0.0.1:8642/mcp -token-file token
//
// Without arguments the server is "go run ./cmd/procession mcp".
package main

import (
	"context"
	"flag"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"strings"

	"github.com/modelcontextprotocol/go-sdk/mcp"
)

func main() {
	url := flag.String("url", "", "connect to a server over HTTP instead of starting one")
	tokenFile := flag.String("token-file", "", "the bearer token for -url is in this file")
	line := flag.String("run", "echo hello from a process; date", "the shell line to run")
	flag.Parse()
	transport, err := transport(*url, *tokenFile, flag.Args())
	if err == nil {
		err = run(context.Background(), transport, *line)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "mcpclient:", err)
		os.Exit(1)
	}
}

func transport(url, tokenFile string, server []string) (mcp.Transport, error) {
	if url == "" {
		if len(server) == 0 {
			server = []string{"go", "run", "./cmd/procession", "mcp"}
		}
		cmd := exec.Command(server[0], server[1:]...)
		cmd.Stderr = os.Stderr
		return &mcp.CommandTransport{Command: cmd}, nil
	}
	client := http.DefaultClient
	if tokenFile != "" {
		token, err := os.ReadFile(tokenFile)
		if err != nil {
			return nil, err
		}
		client = &http.Client{Transport: bearer(strings.TrimSpace(string(token)))}
	}
	return &mcp.StreamableClientTransport{Endpoint: url, HTTPClient: client}, nil
}

// bearer sends itself as a token with each request.
type bearer string

func (b bearer) RoundTrip(r *http.Request) (*http.Response, error) {
	r = r.Clone(r.Context())
	r.Header.Set("Authorization", "Bearer "+string(b))
	return http.DefaultTransport.RoundTrip(r)
}

func run(ctx context.Context, transport mcp.Transport, line string) error {
	client := mcp.NewClient(&mcp.Implementation{Name: "mcpclient", Version: "1"}, nil)
	session, err := client.Connect(ctx, transport, nil)
	if err != nil {
		return err
	}
	defer session.Close()
	tools, err := session.ListTools(ctx, nil)
	if err != nil {
		return err
	}
	for _, tool := range tools.Tools {
		first, _, _ := strings.Cut(tool.Description, ". ")
		fmt.Printf("%-20s %s\n", tool.Name, strings.TrimSuffix(first, "."))
	}
	return call(ctx, session, "run_command", map[string]any{"command": line, "yield_seconds": 60})
}

// call calls a tool and prints what it answers.
func call(ctx context.Context, session *mcp.ClientSession, name string, in map[string]any) error {
	answer, err := session.CallTool(ctx, &mcp.CallToolParams{Name: name, Arguments: in})
	if err != nil {
		return err
	}
	text := answer.Content[0].(*mcp.TextContent).Text
	if answer.IsError {
		return fmt.Errorf("%s: %s", name, text)
	}
	fmt.Printf("\n%s\n%s\n", name, text)
	return nil
}
