// Package poolfile reads the files that describe a pool of processes, a Procfile
// or a procession.yaml, and decides what to start and to stop, and when. It
// starts nothing itself.
//
// A Procfile has lines of the form "name: command", each a line for the shell, and
// comments (#). Options says what it takes from foreman. The variables of a .env beside
// it are set for all processes; package dotenv describes its form. Standard input of
// the processes stays open and is silent, because many programs that rebuild on changes
// end when their input ends.
//
// A procession.yaml has one key, processes; keys that begin with "x-" are ignored
// and are a place for anchors. The value is a mapping from names, or a list of
// mappings with a name:
//
//	processes:
//	  migrate:
//	    command: bin/migrate --all        # a string is a line for the shell
//	  web:
//	    command: [bin/web, --quiet]       # a list is a program and its arguments
//	    dir: server                       # relative to the file; without it, where the file is
//	    env: {PORT: 8080}
//	    env_file: [.env]                  # one, or several, as package dotenv reads them; env overrides them
//	    restart: on-failure               # never (without it), on-failure, always
//	    ready: {http: "http://127.0.0.1:8080/health"}
//	    depends_on: {migrate: exited-successfully}
//	  worker:
//	    command: bin/worker               # with args a string is a program, without a shell
//	    args: [--queue, mail]
//	    restart: {when: always, max_restarts: unlimited, window: 1m, min_backoff: 100ms, max_backoff: 10s}
//	    ready: {pattern: "^polling", tcp: "127.0.0.1:9000", exec: [bin/ping], interval: 100ms, timeout: 1m}
//	    depends_on: [web]                 # a list means: started
//	    stop_signal: SIGINT
//	    grace: 10s                        # until it is killed
//	    timeout: 1h
//	    output_limit: 4MiB
//	    pty: true                         # or {rows: 24, cols: 80}
//	    stdin: open                       # stays open, and is silent; null (without it): is empty
//	    labels: {tier: back}
//
// docs/poolfile.md is the reference of its keys.
//
// Anything that is not understood is an error that names its line. All errors that
// can be found are reported together.
package poolfile
