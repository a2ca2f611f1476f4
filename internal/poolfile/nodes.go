package poolfile

import (
	"strings"

	"go.yaml.in/yaml/v3"
)

// entry is one key of a mapping and its value.
type entry struct {
	key   string
	line  int
	value *yaml.Node
}

// mapping returns the entries of a mapping, in order; then those that it merges (<<).
func (r *reader) mapping(n *yaml.Node, what string) []entry {
	n = resolve(n)
	if n.Kind != yaml.MappingNode {
		r.add(n.Line, "%s: want a mapping, got %s", what, kindOf(n))
		return nil
	}
	m := merger{reader: r, what: what, lines: map[string]int{}, seen: map[*yaml.Node]bool{}}
	m.merge(n)
	return m.entries
}

// merger puts the entries of a mapping and of those that it merges together.
type merger struct {
	*reader
	what    string
	entries []entry
	lines   map[string]int      // by key
	seen    map[*yaml.Node]bool // an alias may be inside what it stands for
}

func (m *merger) merge(n *yaml.Node) {
	if m.seen[n] {
		return
	}
	m.seen[n] = true
	own := map[string]int{}
	var merged []*yaml.Node
	for i := 0; i+1 < len(n.Content); i += 2 {
		key, value := resolve(n.Content[i]), resolve(n.Content[i+1])
		switch {
		case key.Kind != yaml.ScalarNode:
			m.add(key.Line, "%s: a key is %s", m.what, kindOf(key))
		case key.ShortTag() == "!!merge":
			merged = append(merged, value)
		case own[key.Value] != 0:
			m.add(key.Line, "%s: duplicate key %q (first on line %d)", m.what, key.Value, own[key.Value])
		default:
			own[key.Value] = key.Line
			if m.lines[key.Value] == 0 {
				m.lines[key.Value] = key.Line
				m.entries = append(m.entries, entry{key.Value, key.Line, value})
			}
		}
	}
	for _, value := range merged {
		sources := []*yaml.Node{value}
		if value.Kind == yaml.SequenceNode {
			sources = value.Content
		}
		for _, s := range sources {
			if s = resolve(s); s.Kind != yaml.MappingNode {
				m.add(s.Line, "%s: <<: want a mapping, got %s", m.what, kindOf(s))
				continue
			}
			m.merge(s)
		}
	}
}

// fields reads the entries of a mapping by their keys; one that is not in the
// table is unknown.
func (r *reader) fields(entries []entry, what string, table map[string]func(entry)) {
	for _, e := range entries {
		if read, known := table[e.key]; known {
			read(e)
			continue
		}
		known := make([]string, 0, len(table))
		for key := range table {
			known = append(known, key)
		}
		r.add(e.line, "%s: unknown key %q%s", what, e.key, suggest(e.key, known))
	}
}

// text returns a scalar as it is written: what a number or a boolean looks like too.
func (r *reader) text(n *yaml.Node, what string) string {
	n = resolve(n)
	switch {
	case n.Kind != yaml.ScalarNode || n.ShortTag() == "!!binary":
		r.add(n.Line, "%s: want a string, got %s", what, kindOf(n))
	case n.ShortTag() == "!!null" && n.Value == "":
		r.add(n.Line, `%s: no value; "" is an empty one`, what)
	case strings.Contains(n.Value, "\x00"):
		r.add(n.Line, "%s: a NUL byte", what)
	default:
		return n.Value
	}
	return ""
}

// texts returns a list of scalars.
func (r *reader) texts(n *yaml.Node, what string) []string {
	n = resolve(n)
	if n.Kind != yaml.SequenceNode {
		r.add(n.Line, "%s: want a list, got %s", what, kindOf(n))
		return nil
	}
	list := make([]string, len(n.Content))
	for i := range n.Content {
		list[i] = r.text(n.Content[i], what)
	}
	return list
}

// textMap returns a mapping from names to scalars.
func (r *reader) textMap(n *yaml.Node, what string) map[string]string {
	m := map[string]string{}
	for _, e := range r.mapping(n, what) {
		m[e.key] = r.text(e.value, what+": "+e.key)
	}
	return m
}

func resolve(n *yaml.Node) *yaml.Node {
	for n.Kind == yaml.AliasNode {
		n = n.Alias
	}
	return n
}

func kindOf(n *yaml.Node) string {
	switch {
	case n.Kind == yaml.MappingNode:
		return "a mapping"
	case n.Kind == yaml.SequenceNode:
		return "a list"
	case n.ShortTag() == "!!null":
		return "nothing"
	}
	return "a " + strings.TrimPrefix(n.ShortTag(), "!!")
}
