package poolfile

import (
	"maps"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/procession-go/procession/messages"
	"github.com/procession-go/procession/supervisor"
)

// process reads one process of a procession.yaml.
func (r *reader) process(name string, line int, entries []entry) Process {
	p := Process{Line: line, Spec: messages.Spec{Name: name, Dir: r.source.dir}}
	s := &p.Spec
	what := "process " + name
	var command, args *yaml.Node
	var stdin *entry
	env, files := map[string]string{}, map[string]string{}
	at := func(e entry) string { return what + ": " + e.key }
	r.fields(entries, what, map[string]func(entry){
		"command":      func(e entry) { command = e.value },
		"args":         func(e entry) { args = e.value },
		"dir":          func(e entry) { s.Dir = r.source.beside(r.text(e.value, at(e))) },
		"env":          func(e entry) { env = r.env(e, at(e)) },
		"env_file":     func(e entry) { files = r.envFiles(e, at(e)) },
		"restart":      func(e entry) { s.Restart = r.restart(e, at(e)) },
		"ready":        func(e entry) { s.Ready = r.probe(e, at(e)) },
		"depends_on":   func(e entry) { p.DependsOn = r.dependsOn(e, at(e)) },
		"stop_signal":  func(e entry) { s.StopSignal = r.signal(e, at(e)) },
		"grace":        func(e entry) { s.Grace = max(r.duration(e, at(e)), 1) }, // 0 would be the engine's default
		"timeout":      func(e entry) { s.Timeout = r.duration(e, at(e)) },
		"output_limit": func(e entry) { s.OutputLimit = r.size(e, at(e)) },
		"pty":          func(e entry) { s.PTY = r.terminal(e, at(e)) },
		"stdin":        func(e entry) { stdin = &e; s.Stdin = r.stdin(e, at(e)) },
		"labels":       func(e entry) { s.Labels = r.textMap(e.value, at(e)) },
	})
	if s.PTY != nil && stdin != nil && !s.Stdin {
		r.add(stdin.line, "%s: want open, because the input is its terminal (pty)", at(*stdin))
	}
	r.command(s, line, what, command, args)
	maps.Copy(files, env)
	s.Env = files
	return p
}

// command reads what to run: a list is a program and its arguments, a string is a
// line for the shell, unless there are args: then it is a program.
func (r *reader) command(s *messages.Spec, line int, what string, command, args *yaml.Node) {
	if command == nil {
		r.add(line, "%s: no command", what)
		return
	}
	list := []string(nil)
	if command.Kind == yaml.SequenceNode {
		list = r.texts(command, what+": command")
	} else {
		before := len(r.problems)
		text := r.text(command, what+": command")
		if len(r.problems) > before {
			return
		}
		if args == nil && strings.TrimSpace(text) != "" {
			shell := messages.Shell(text)
			s.Command, s.Args = shell.Command, shell.Args
			return
		}
		list = []string{text}
	}
	if len(list) == 0 || strings.TrimSpace(list[0]) == "" {
		r.add(command.Line, "%s: command is empty", what)
		return
	}
	s.Command, s.Args = list[0], list[1:]
	if args != nil {
		s.Args = append(s.Args, r.texts(args, what+": args")...)
	}
}

// env reads variables.
func (r *reader) env(e entry, what string) map[string]string {
	for _, variable := range r.mapping(e.value, what) {
		if variable.key == "" || strings.ContainsAny(variable.key, "=\x00") {
			r.add(variable.line, "%s: %q is no name of a variable", what, variable.key)
		}
	}
	return r.textMap(e.value, what)
}

// envFiles reads the variables of one file, or of several: later ones override.
func (r *reader) envFiles(e entry, what string) map[string]string {
	var names []string
	if e.value.Kind == yaml.SequenceNode {
		names = r.texts(e.value, what)
	} else {
		names = []string{r.text(e.value, what)}
	}
	all := map[string]string{}
	for _, name := range names {
		if name != "" {
			all = r.namedEnvFile(name, e.line, what, all)
		}
	}
	return all
}

// namedEnvFile reads one of them, which adds to those before it.
func (r *reader) namedEnvFile(name string, line int, what string, before map[string]string) map[string]string {
	path := r.source.beside(name)
	data, done := r.files[path]
	if !done {
		var err error
		if data, err = r.source.read(path); err != nil {
			r.add(line, "%s: %v", what, err)
			return before
		}
		r.files[path] = data
	}
	return r.envFile(&r.source, r.source.named(name), data, before)
}

// restart reads a policy: when, or a mapping with when.
func (r *reader) restart(e entry, what string) supervisor.Policy {
	var p supervisor.Policy
	if e.value.Kind != yaml.MappingNode {
		p.When = r.when(e, what)
		return p
	}
	when, at := false, func(e entry) string { return what + ": " + e.key }
	r.fields(r.mapping(e.value, what), what, map[string]func(entry){
		"when":         func(e entry) { when, p.When = true, r.when(e, at(e)) },
		"max_restarts": func(e entry) { p.MaxRestarts = r.maxRestarts(e, at(e)) },
		"window":       func(e entry) { p.Window = r.positive(e, at(e)) },
		"min_backoff":  func(e entry) { p.MinBackoff = r.positive(e, at(e)) },
		"max_backoff":  func(e entry) { p.MaxBackoff = r.positive(e, at(e)) },
	})
	if !when {
		r.add(e.line, "%s: no when (never, on-failure, always)", what)
	}
	if full := p.WithDefaults(); full.MaxBackoff < full.MinBackoff {
		r.add(e.line, "%s: max_backoff %v is less than min_backoff %v", what, full.MaxBackoff, full.MinBackoff)
	}
	return p
}

// neverEnds reports whether a process is started again whatever it returns.
func neverEnds(s *messages.Spec) bool { return s.Restart.When == supervisor.Always }

// probe reads how to tell that a process is ready.
func (r *reader) probe(e entry, what string) *messages.Probe {
	p := &messages.Probe{}
	at := func(e entry) string { return what + ": " + e.key }
	before := len(r.problems)
	r.fields(r.mapping(e.value, what), what, map[string]func(entry){
		"pattern":  func(e entry) { p.Pattern = r.pattern(e, at(e)) },
		"tcp":      func(e entry) { p.TCP = r.address(e, at(e)) },
		"http":     func(e entry) { p.HTTP = r.url(e, at(e)) },
		"exec":     func(e entry) { p.Exec = r.exec(e, at(e)) },
		"interval": func(e entry) { p.Interval = r.positive(e, at(e)) },
		"timeout":  func(e entry) { p.Timeout = r.positive(e, at(e)) },
	})
	if p.Pattern == "" && p.TCP == "" && p.HTTP == "" && len(p.Exec) == 0 && len(r.problems) == before {
		r.add(e.line, "%s: no condition (pattern, tcp, http, exec)", what)
	}
	return p
}

// exec reads the command of a probe, in the forms of a process's command.
func (r *reader) exec(e entry, what string) []string {
	var list []string
	if e.value.Kind == yaml.SequenceNode {
		list = r.texts(e.value, what)
	} else if line := r.text(e.value, what); strings.TrimSpace(line) != "" {
		shell := messages.Shell(line)
		list = append([]string{shell.Command}, shell.Args...)
	}
	if len(list) == 0 || list[0] == "" {
		r.add(e.line, "%s: it is empty", what)
	}
	return list
}

// dependsOn reads a mapping from names to conditions, or a list of names, which
// must have been started.
func (r *reader) dependsOn(e entry, what string) []Dependency {
	var all []Dependency
	if e.value.Kind != yaml.SequenceNode {
		for _, d := range r.mapping(e.value, what) {
			all = append(all, Dependency{d.key, r.condition(d, what+": "+d.key), d.line})
		}
		return all
	}
	first := map[string]int{}
	for i, name := range r.texts(e.value, what) {
		line := e.value.Content[i].Line
		if first[name] != 0 {
			r.add(line, "%s: %q is there twice", what, name)
			continue
		}
		first[name] = line
		all = append(all, Dependency{name, Started, line})
	}
	return all
}
