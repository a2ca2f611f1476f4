package mcpserver

import "time"

// The parameters and results of the tools. Their JSON names are the protocol;
// the schemas that clients see are made of them. What is in braces depends on the
// options of the server, see facts.

type startParams struct {
	Command        string            `json:"command" jsonschema:"What to run. Without args: a line for /bin/sh, which may use pipes, && and so on. With args: a program, run without a shell."`
	Args           []string          `json:"args,omitempty" jsonschema:"The program's arguments. Leave out to have command run by the shell."`
	Cwd            string            `json:"cwd,omitempty" jsonschema:"{cwd}"`
	Env            map[string]string `json:"env,omitempty" jsonschema:"Environment variables to add to the server's own."`
	OutputLimit    int64             `json:"output_limit,omitempty" jsonschema:"How many bytes of output to retain; the oldest are dropped. {output_limit}"`
	Stdin          bool              `json:"stdin,omitempty" jsonschema:"Keep standard input open for send_input. Default: it is empty."`
	PTY            bool              `json:"pty,omitempty" jsonschema:"Run on a terminal of 24 rows and 80 columns, for programs that insist on one. send_input types on it."`
	TimeoutSeconds float64           `json:"timeout_seconds,omitempty" jsonschema:"End the process after so long. Default: never."`
	StopSignal     string            `json:"stop_signal,omitempty" jsonschema:"The signal that asks the process to end, when it is killed or times out: SIGINT, SIGQUIT. Default: SIGTERM."`
	Name           string            `json:"name,omitempty" jsonschema:"A name to recognise it by in list_processes."`
	Labels         map[string]string `json:"labels,omitempty" jsonschema:"Labels to recognise it by in list_processes."`
}

type runParams struct {
	startParams
	Input        string   `json:"input,omitempty" jsonschema:"What to write to standard input, followed by end-of-file unless stdin is true. With pty it is typed."`
	YieldSeconds *float64 `json:"yield_seconds,omitempty" jsonschema:"Answer after so long if the process has not ended by then; it goes on. Default 30; 0 answers at once."`
	MaxBytes     int      `json:"max_bytes,omitempty" jsonschema:"The most output to return, in bytes; the end of it is kept. {max_bytes}"`
}

type outputParams struct {
	ProcessID   string  `json:"process_id" jsonschema:"As start_process or run_command returned it."`
	FilterLines string  `json:"filter_lines,omitempty" jsonschema:"A regular expression (RE2 syntax). Only lines that match it are returned."`
	Context     int     `json:"context_lines,omitempty" jsonschema:"How many lines before and after each that filter_lines matches are returned too, from 0 to 100. Default 0."`
	Cursor      *int64  `json:"cursor,omitempty" jsonschema:"Return the first output from here on: 0 is the beginning, the next_cursor of an earlier result is what follows it. Default: the end of all that is retained."`
	WaitSeconds float64 `json:"wait_seconds,omitempty" jsonschema:"If there is nothing to return yet, wait so long for output; with filter_lines, for a line that matches. The end of the process ends the waiting too. Default 0."`
	MaxBytes    int     `json:"max_bytes,omitempty" jsonschema:"The most output to return, in bytes: the first from cursor on, else the last. {max_bytes}"`
}

type waitParams struct {
	ProcessID      string   `json:"process_id" jsonschema:"As start_process or run_command returned it."`
	FilterLines    string   `json:"filter_lines,omitempty" jsonschema:"A regular expression (RE2 syntax). Only lines of the output that match it are returned."`
	Context        int      `json:"context_lines,omitempty" jsonschema:"How many lines before and after each that filter_lines matches are returned too, from 0 to 100. Default 0."`
	TimeoutSeconds *float64 `json:"timeout_seconds,omitempty" jsonschema:"Wait so long at the most; the process goes on if it is still running then. Default: until it ends."`
}

type awaitParams struct {
	ProcessID      string   `json:"process_id" jsonschema:"As start_process or run_command returned it."`
	Pattern        string   `json:"pattern" jsonschema:"A regular expression (RE2 syntax) for one line, such as listening|ready."`
	Cursor         int64    `json:"cursor,omitempty" jsonschema:"Look at what came after this: the next_cursor of an earlier result. Default 0, everything that is retained."`
	TimeoutSeconds *float64 `json:"timeout_seconds,omitempty" jsonschema:"Wait so long at the most. The end of the process ends the waiting too. Default 30."`
}

type inputParams struct {
	ProcessID string `json:"process_id" jsonschema:"As start_process or run_command returned it."`
	Data      string `json:"data" jsonschema:"What to write, as it is: end a line with \\n. On a terminal \\u0003 is Ctrl-C."`
	Close     bool   `json:"close,omitempty" jsonschema:"Give end-of-file after data."`
}

type killParams struct {
	ProcessID string `json:"process_id" jsonschema:"As start_process or run_command returned it."`
	Force     bool   `json:"force,omitempty" jsonschema:"SIGKILL at once, to the process and everything that it started, for what does not end or must not go on. Default: first the stop signal, and some seconds to end."`
}

type signalParams struct {
	ProcessID string `json:"process_id" jsonschema:"As start_process or run_command returned it."`
	Signal    string `json:"signal" jsonschema:"What to send: SIGINT, SIGHUP, SIGUSR1, or a number."`
	Scope     string `json:"scope,omitempty" jsonschema:"Who gets it: group (the process and what it started, as Ctrl-C does) or leader (the process alone). Default: group."`
}

type idParams struct {
	ProcessID string `json:"process_id" jsonschema:"As start_process or run_command returned it."`
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
	Output     string  `json:"output" jsonschema:"Standard output and standard error in the order in which they came, as text: control sequences resolved, and filtered. If there is too much, the first from cursor on, or else the end."`
	Stdout     string  `json:"stdout" jsonschema:"Standard output alone."`
	Stderr     string  `json:"stderr" jsonschema:"Standard error alone."`
	Truncated  bool    `json:"truncated" jsonschema:"Whether something was left out at the beginning of output, stdout or stderr."`
	Dropped    int64   `json:"dropped" jsonschema:"How many bytes before the beginning of output were left out: no longer retained, or too many."`
	OutputCut  bool    `json:"output_cut" jsonschema:"Whether the end of the output may be missing: the process has ended, and something that it started still held its output open."`
	ExitCode   *int    `json:"exit_code" jsonschema:"What it exited with. Null while it runs, and if a signal ended it."`
	Signal     *string `json:"signal" jsonschema:"The signal that ended it, such as SIGKILL. Null if none did."`
	State      string  `json:"state"`
	NextCursor int64   `json:"next_cursor" jsonschema:"The cursor that returns only what comes after this."`
	More       bool    `json:"more" jsonschema:"Whether there is more output already, from next_cursor on."`
}

type runResult struct {
	outputResult
	PID int `json:"pid" jsonschema:"Its process ID in the operating system."`
}

type awaitResult struct {
	ProcessID  string  `json:"process_id"`
	Matched    bool    `json:"matched" jsonschema:"Whether a line matches pattern."`
	Line       string  `json:"line" jsonschema:"The first line that matches, as text: control sequences resolved. Empty if none does."`
	Output     string  `json:"output" jsonschema:"What came after cursor, up to that line and with it, or all of it if there is none; the end of it if there is too much."`
	Truncated  bool    `json:"truncated" jsonschema:"Whether something was left out at the beginning of output."`
	Dropped    int64   `json:"dropped" jsonschema:"How many bytes before the beginning of output were left out: no longer retained, or too many."`
	OutputCut  bool    `json:"output_cut" jsonschema:"Whether the end of the output may be missing: the process has ended, and something that it started still held its output open."`
	ExitCode   *int    `json:"exit_code" jsonschema:"What it exited with. Null while it runs, and if a signal ended it."`
	Signal     *string `json:"signal" jsonschema:"The signal that ended it, such as SIGKILL. Null if none did."`
	State      string  `json:"state"`
	NextCursor int64   `json:"next_cursor" jsonschema:"The cursor that looks for the next line."`
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

type signalResult struct {
	ProcessID string `json:"process_id"`
	Signal    string `json:"signal" jsonschema:"What was sent, by its name."`
	State     string `json:"state"`
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
	OutputCut     bool       `json:"output_cut" jsonschema:"Whether the end of the output may be missing: the process has ended, and something that it started still held its output open."`
	CPUSeconds    *float64   `json:"cpu_seconds" jsonschema:"Null while it runs."`
	MaxRSSBytes   *int64     `json:"max_rss_bytes" jsonschema:"Null while it runs."`
}
