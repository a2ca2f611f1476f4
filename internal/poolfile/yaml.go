package poolfile

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"
)

// parseYAML reads a procession.yaml and the env_files that it names.
func parseYAML(s source) (*Pool, error) {
	r := &reader{report: report{path: s.path}, source: s, files: map[string][]byte{}}
	pool := &Pool{Path: s.path}
	if root := r.document(); root != nil {
		r.pool(root, pool)
	}
	r.graph(pool)
	if err := r.result(); err != nil {
		return nil, err
	}
	pool.Warnings = r.warnings.inOrder()
	return pool, nil
}

// reader reads the nodes of a YAML document, and collects what is wrong.
type reader struct {
	report
	source source
	files  map[string][]byte // the env_files that have been read
}

// document returns the root of the file's only document; nil if there is none.
func (r *reader) document() *yaml.Node {
	decoder := yaml.NewDecoder(bytes.NewReader(r.source.data))
	var doc, next yaml.Node
	err := decoder.Decode(&doc)
	if errors.Is(err, io.EOF) {
		r.add(0, "the file is empty; want processes: …")
		return nil
	}
	if err == nil {
		if err = decoder.Decode(&next); err == nil {
			r.add(next.Line, "a second document; want one")
		}
	}
	if err != nil && !errors.Is(err, io.EOF) {
		r.syntax(err)
		return nil
	}
	return doc.Content[0]
}

var (
	yamlError     = lazily(`(?s)^yaml: (?:line (\d+): )?(.*)$`)
	unknownAnchor = lazily(`^unknown anchor '(.*)' referenced$`)

	// countedFrom0 are the messages of the library's parser, which counts lines
	// from 0; its scanner counts from 1 (fail in its decode.go).
	countedFrom0 = lazily(`^did not find expected (<|node content|'-' indicator|key|',' or)|^found (undefined tag handle|duplicate %|incompatible YAML)`)
)

// syntax says what the library did, and where.
func (r *reader) syntax(err error) {
	match := yamlError().FindStringSubmatch(err.Error())
	if match == nil {
		r.add(0, "%v", err)
		return
	}
	line, _ := strconv.Atoi(match[1])
	text := match[2]
	if countedFrom0().MatchString(text) {
		line++
	}
	if anchor := unknownAnchor().FindStringSubmatch(text); anchor != nil {
		before, _, _ := bytes.Cut(r.source.data, []byte("*"+anchor[1]))
		line = 1 + bytes.Count(before, []byte("\n"))
	}
	r.add(line, "%s", text)
}

func (r *reader) pool(root *yaml.Node, pool *Pool) {
	var processes *yaml.Node
	for _, e := range r.mapping(root, "the file") {
		switch {
		case e.key == "processes":
			processes = e.value
		case !strings.HasPrefix(e.key, "x-"):
			r.add(e.line, "unknown key %q%s", e.key, suggest(e.key, []string{"processes"}))
		}
	}
	switch {
	case processes == nil && len(r.problems) == 0:
		r.add(root.Line, "no processes")
	case processes == nil:
	case processes.Kind == yaml.SequenceNode:
		r.processList(processes, pool)
	default:
		for _, e := range r.mapping(processes, "processes") {
			r.addProcess(pool, e.key, e.line, r.mapping(e.value, "process "+e.key))
		}
	}
	if processes != nil && len(pool.Processes) == 0 && len(r.problems) == 0 {
		r.add(processes.Line, "no processes")
	}
}

// processList reads processes that are mappings with a name.
func (r *reader) processList(list *yaml.Node, pool *Pool) {
	first := map[string]int{}
	for i, n := range list.Content {
		n = resolve(n)
		what := fmt.Sprintf("processes[%d]", i)
		name, line := "", n.Line
		var rest []entry
		for _, e := range r.mapping(n, what) {
			if e.key == "name" {
				name, line = r.text(e.value, what+": name"), e.line
			} else {
				rest = append(rest, e)
			}
		}
		switch {
		case n.Kind != yaml.MappingNode:
			continue
		case name == "":
			r.add(line, "%s: no name", what)
			continue
		case first[name] != 0:
			r.add(line, "duplicate process name %q (first on line %d)", name, first[name])
			continue
		}
		first[name] = line
		r.addProcess(pool, name, line, rest)
	}
}

// processName is what is no trouble in the name of a log either.
var processName = lazily(`^[A-Za-z0-9_][A-Za-z0-9._-]*$`)

func (r *reader) addProcess(pool *Pool, name string, line int, entries []entry) {
	if !processName().MatchString(name) {
		r.add(line, "process name %q: want letters, digits, \".\", \"_\" and \"-\"", name)
	}
	if name == "system" { // before what procession itself says
		r.add(line, "process name %q is taken by procession itself", name)
	}
	pool.Processes = append(pool.Processes, r.process(name, line, entries))
}

// graph checks what processes say about each other.
func (r *reader) graph(pool *Pool) {
	index := pool.index()
	var names []string
	for i := range pool.Processes {
		names = append(names, pool.Processes[i].Spec.Name)
	}
	for i := range pool.Processes {
		p := &pool.Processes[i]
		for _, d := range p.DependsOn {
			on, known := index[d.Name]
			switch {
			case !known:
				r.add(d.Line, "process %s: depends_on: there is no process %q%s", p.Spec.Name, d.Name, suggest(d.Name, names))
			case d.Condition == ExitedSuccessfully && neverEnds(&pool.Processes[on].Spec):
				r.add(d.Line, "process %s: depends_on: %s never exits for good: it has restart: always", p.Spec.Name, d.Name)
			}
		}
	}
	_, cycles := sortByDependency(pool.dependencies())
	for _, cycle := range cycles {
		var path []string
		for _, i := range cycle {
			path = append(path, names[i])
		}
		last := pool.Processes[cycle[len(cycle)-2]]
		for _, d := range last.DependsOn {
			if d.Name == path[len(path)-1] {
				r.add(d.Line, "processes depend on each other: %s", strings.Join(path, " → "))
				break
			}
		}
	}
}
