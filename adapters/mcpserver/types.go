package mcpserver

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/google/jsonschema-go/jsonschema"
)

// The parameters and results of the tools. Their JSON names are the protocol;
// the schemas that clients see are made of them.

type startParams struct {
	Command        string            `json:"command" jsonschema:"What to run. Without args: a line for /bin/sh, which may use pipes, && and so on. With args: a program, run without a shell."`
	Args           []string          `json:"args,omitempty" jsonschema:"The program's arguments. Leave out to have command run by the shell."`
	Cwd            string            `json:"cwd,omitempty" jsonschema:"Working directory. Default: the server's root or own directory."`
	Env            map[string]string `json:"env,omitempty" jsonschema:"Environment variables to add to the server's own."`
	OutputLimit    int64             `json:"output_limit,omitempty" jsonschema:"How many bytes of output to retain; the oldest are dropped. Default 1 MiB, -1 for all."`
	Stdin          bool              `json:"stdin,omitempty" jsonschema:"Keep standard input open for send_input. Default: it is empty."`
	PTY            bool              `json:"pty,omitempty" jsonschema:"Run on a terminal of 24 rows and 80 columns, for programs that insist on one. send_input types on it."`
	TimeoutSeconds float64           `json:"timeout_seconds,omitempty" jsonschema:"End the process after so long. Default: never."`
	Name           string            `json:"name,omitempty" jsonschema:"A name to recognise it by in list_processes."`
	Labels         map[string]string `json:"labels,omitempty" jsonschema:"Labels to recognise it by in list_processes."`
}

type outputParams struct {
	ProcessID   string  `json:"process_id" jsonschema:"As start_process returned it."`
	FilterLines string  `json:"filter_lines,omitempty" jsonschema:"A regular expression (RE2 syntax). Only lines that match it are returned."`
	Cursor      int64   `json:"cursor,omitempty" jsonschema:"Return what came after this: the next_cursor of an earlier result. Default 0, everything that is retained."`
	WaitSeconds float64 `json:"wait_seconds,omitempty" jsonschema:"If there is nothing to return yet, wait so long for output; with filter_lines, for a line that matches. The end of the process ends the waiting too. Default 0."`
	MaxBytes    int     `json:"max_bytes,omitempty" jsonschema:"The most output to return, in bytes; the end of it is kept. Default 32768."`
}

type waitParams struct {
	ProcessID      string   `json:"process_id" jsonschema:"As start_process returned it."`
	FilterLines    string   `json:"filter_lines,omitempty" jsonschema:"A regular expression (RE2 syntax). Only lines of the output that match it are returned."`
	TimeoutSeconds *float64 `json:"timeout_seconds,omitempty" jsonschema:"Wait so long at the most; the process goes on if it is still running then. Default: until it ends."`
}

type inputParams struct {
	ProcessID string `json:"process_id" jsonschema:"As start_process returned it."`
	Data      string `json:"data" jsonschema:"What to write, as it is: end a line with \\n. On a terminal \\u0003 is Ctrl-C."`
	Close     bool   `json:"close,omitempty" jsonschema:"Give end-of-file after data."`
}

type idParams struct {
	ProcessID string `json:"process_id" jsonschema:"As start_process returned it."`
}

type noParams struct{}

type startResult struct {
	ProcessID string `json:"process_id" jsonschema:"What the other tools call it."`
	PID       int    `json:"pid" jsonschema:"Its process ID in the operating system."`
	Command   string `json:"command"`
	State     string `json:"state"`
}

type outputResult struct {
	ProcessID  string  `json:"process_id"`
	Output     string  `json:"output" jsonschema:"Standard output and standard error in the order in which they came, as text: control sequences resolved, filtered, and of max_bytes at the most."`
	Stdout     string  `json:"stdout" jsonschema:"Standard output alone."`
	Stderr     string  `json:"stderr" jsonschema:"Standard error alone."`
	Truncated  bool    `json:"truncated" jsonschema:"Whether something was left out at the beginning of output, stdout or stderr."`
	Dropped    int64   `json:"dropped" jsonschema:"How many bytes before the beginning of output were left out: no longer retained, or more than max_bytes."`
	ExitCode   *int    `json:"exit_code" jsonschema:"What it exited with. Null while it runs, and if a signal ended it."`
	Signal     *string `json:"signal" jsonschema:"The signal that ended it, such as SIGKILL. Null if none did."`
	State      string  `json:"state"`
	NextCursor int64   `json:"next_cursor" jsonschema:"The cursor that returns only what comes after this."`
}

type inputResult struct {
	ProcessID string `json:"process_id"`
	Written   int    `json:"written" jsonschema:"How many bytes were written."`
	Closed    bool   `json:"closed" jsonschema:"Whether end-of-file was given."`
}

type killResult struct {
	ProcessID string  `json:"process_id"`
	State     string  `json:"state"`
	ExitCode  *int    `json:"exit_code" jsonschema:"What it exited with. Null if a signal ended it."`
	Signal    *string `json:"signal" jsonschema:"The signal that ended it. Null if none did."`
}

type releaseResult struct {
	ProcessID string `json:"process_id"`
	Released  bool   `json:"released"`
}

type listResult struct {
	Processes []processSummary `json:"processes" jsonschema:"In order of creation."`
}

type processSummary struct {
	ProcessID   string            `json:"process_id"`
	Name        string            `json:"name"`
	Command     string            `json:"command"`
	State       string            `json:"state"`
	ExitCode    *int              `json:"exit_code" jsonschema:"What it exited with. Null while it runs, and if a signal ended it."`
	Signal      *string           `json:"signal" jsonschema:"The signal that ended it. Null if none did."`
	PID         int               `json:"pid"`
	Labels      map[string]string `json:"labels"`
	CreatedAt   time.Time         `json:"created_at"`
	OutputBytes int64             `json:"output_bytes" jsonschema:"How much output it has produced, in bytes."`
}

type infoResult struct {
	processSummary
	Cwd           string     `json:"cwd"`
	Ready         bool       `json:"ready"`
	Restarts      int        `json:"restarts"`
	StartedAt     time.Time  `json:"started_at"`
	EndedAt       *time.Time `json:"ended_at" jsonschema:"Null while it runs."`
	Cause         *string    `json:"cause" jsonschema:"Why it ended: exited, killed, timeout, crashed or shutdown. Null while it runs."`
	OutputLimit   int64      `json:"output_limit" jsonschema:"How many bytes of output are retained at the most, -1 for all."`
	RetainedBytes int64      `json:"retained_bytes"`
	DroppedBytes  int64      `json:"dropped_bytes"`
	CPUSeconds    *float64   `json:"cpu_seconds" jsonschema:"Null while it runs."`
	MaxRSSBytes   *int64     `json:"max_rss_bytes" jsonschema:"Null while it runs."`
}

// paramsSchema is the schema of a tool's parameters. What is optional may be
// left out; that null is taken for that too (withoutNulls) is not said, because
// not all clients understand two types for one thing.
func paramsSchema[T any]() *jsonschema.Schema {
	schema, err := jsonschema.For[T](nil)
	if err != nil {
		panic(err)
	}
	for _, p := range schema.Properties {
		p.Types = slices.DeleteFunc(p.Types, func(t string) bool { return t == "null" })
		if len(p.Types) == 1 {
			p.Type, p.Types = p.Types[0], nil
		}
	}
	return schema
}

// resultSchema is the schema of a tool's result.
func resultSchema[T any]() *jsonschema.Schema {
	schema, err := jsonschema.For[T](nil)
	if err != nil {
		panic(err)
	}
	describeStates(schema)
	return schema
}

func describeStates(schema *jsonschema.Schema) {
	for name, p := range schema.Properties {
		if name == "state" {
			p.Enum = []any{"starting", "running", "stopping", "backing-off", "exited"}
		}
		if p.Items != nil {
			p.Type, p.Types = "array", nil // never null
			describeStates(p.Items)
		}
	}
}

// withoutNulls is a JSON object without the members that are null, which is how
// some models leave a parameter out. What is no object comes back as it is.
func withoutNulls(object json.RawMessage) json.RawMessage {
	if !bytes.Contains(object, []byte("null")) {
		return object
	}
	var members map[string]json.RawMessage
	if json.Unmarshal(object, &members) != nil {
		return object
	}
	for name, value := range members {
		if string(value) == "null" {
			delete(members, name)
		}
	}
	cleaned, err := json.Marshal(members)
	if err != nil {
		return object
	}
	return cleaned
}

// seconds is a parameter in seconds as a duration.
func seconds(name string, value float64) (time.Duration, error) {
	switch {
	case value < 0:
		return 0, fmt.Errorf("%s is %v; it must not be negative", name, value)
	case value > math.MaxInt64/2/float64(time.Second):
		return math.MaxInt64 / 2, nil
	}
	return time.Duration(value * float64(time.Second)), nil
}
