package mcpserver

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/google/jsonschema-go/jsonschema"

	"github.com/procession-go/procession"
)

// facts fills in what descriptions say of a server with these options.
func facts(o Options) *strings.Replacer {
	cwd := "Working directory. Default: the server's own."
	if o.Root != "" {
		cwd = fmt.Sprintf("Working directory: %s or one below it, also relative to it. Default: it.", o.Root)
	}
	limit := "Default: usually 1 MiB; -1 for all."
	if o.MaxOutput > 0 {
		limit = fmt.Sprintf("Default %d, at most %d.", min(o.MaxOutput, procession.DefaultOutputLimit), o.MaxOutput)
	}
	text := cmp.Or(o.TextLimit, DefaultTextLimit)
	return strings.NewReplacer(
		"{cwd}", cwd,
		"{output_limit}", limit,
		"{max_bytes}", fmt.Sprintf("Default %d; more than %d is taken as that.", text, o.mostText()),
		"{text}", fmt.Sprint(text),
	)
}

// paramsSchema returns the schema of a tool's parameters. What is optional may be
// left out; that null is taken for that too (withoutNulls) is not said, because
// not all clients understand two types for one thing.
func paramsSchema[T any](facts *strings.Replacer) *jsonschema.Schema {
	schema, err := jsonschema.For[T](nil)
	if err != nil {
		panic(err)
	}
	if schema.Properties == nil { // some clients insist on it
		schema.Properties = map[string]*jsonschema.Schema{}
	}
	for _, p := range schema.Properties {
		p.Description = facts.Replace(p.Description)
		p.Types = slices.DeleteFunc(p.Types, func(t string) bool { return t == "null" })
		if len(p.Types) == 1 {
			p.Type, p.Types = p.Types[0], nil
		}
	}
	return schema
}

// resultSchema returns the schema of a tool's result.
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
