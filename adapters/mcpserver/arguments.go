package mcpserver

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/google/jsonschema-go/jsonschema"
)

// What models give as arguments, before the SDK looks at it: its own messages are
// for people who know Go.

// wrongArguments says what is wrong with the arguments of a tool, nil if nothing
// is.
func wrongArguments(schema *jsonschema.Schema, arguments json.RawMessage) error {
	if err := wrongMembers(schema, arguments); err != nil {
		return told(err)
	}
	return nil
}

func wrongMembers(schema *jsonschema.Schema, arguments json.RawMessage) error {
	if len(arguments) == 0 || string(arguments) == "null" {
		arguments = json.RawMessage("{}")
	}
	given := membersOf(arguments)
	if given == nil {
		return fmt.Errorf("the arguments are %s; they must be an object", shortened(string(arguments), 60))
	}
	known := slices.Sorted(maps.Keys(schema.Properties))
	for _, name := range slices.Sorted(maps.Keys(given)) {
		p := schema.Properties[name]
		if p == nil && len(known) == 0 {
			return fmt.Errorf("there is no parameter %q; there are none", name)
		}
		if p == nil {
			return fmt.Errorf("there is no parameter %q; there are: %s", name, strings.Join(known, ", "))
		}
		if err := wrongValue(name, p, given[name]); err != nil {
			return err
		}
	}
	for _, name := range schema.Required {
		if _, ok := given[name]; !ok {
			return fmt.Errorf("the parameter %s is missing: %s", name, schema.Properties[name].Description)
		}
	}
	return nil
}

// wrongValue says what is wrong with one argument.
func wrongValue(name string, schema *jsonschema.Schema, value json.RawMessage) error {
	wrong := func(want string) error {
		return fmt.Errorf("%s is %s; it must be %s", name, shortened(string(value), 60), want)
	}
	switch schema.Type {
	case "string":
		if value[0] != '"' {
			return wrong("a string")
		}
	case "boolean":
		if text := string(value); text != "true" && text != "false" {
			return wrong("the boolean true or false")
		}
	case "integer", "number":
		if value[0] != '-' && (value[0] < '0' || value[0] > '9') {
			return wrong("a number")
		}
		switch n, err := strconv.ParseFloat(string(value), 64); {
		case err != nil || schema.Type == "integer" && math.Abs(n) >= 1<<63:
			return wrong("a smaller number")
		case schema.Type == "integer" && n != math.Trunc(n):
			return wrong("a whole number")
		case n == 0 && isNotZero(value):
			return wrong("0 or a number further from it")
		}
	case "array":
		var items []json.RawMessage
		if json.Unmarshal(value, &items) != nil {
			return wrong("a list of strings")
		}
		for i, item := range items {
			if err := wrongValue(fmt.Sprintf("%s[%d]", name, i), schema.Items, item); err != nil {
				return err
			}
		}
	case "object":
		given := membersOf(value)
		if given == nil {
			return wrong("an object of strings")
		}
		for _, key := range slices.Sorted(maps.Keys(given)) {
			if err := wrongValue(fmt.Sprintf("%s[%q]", name, key), schema.AdditionalProperties, given[key]); err != nil {
				return err
			}
		}
	}
	return nil
}

// isNotZero reports whether a JSON number is not 0, however near it is.
func isNotZero(number json.RawMessage) bool {
	digits, _, _ := bytes.Cut(bytes.ToLower(number), []byte("e"))
	return bytes.ContainsAny(digits, "123456789")
}

// lenient returns the arguments of a tool without two habits of models: null is how some leave a
// parameter out, and stdin is where some put what input is for. The words true and false they
// do mean as stdin, and are refused as such.
func lenient(schema *jsonschema.Schema, arguments json.RawMessage) json.RawMessage {
	arguments = inDigits(schema, withoutNulls(arguments))
	if schema.Properties["input"] == nil {
		return arguments
	}
	given := membersOf(arguments)
	stdin := given["stdin"]
	if _, both := given["input"]; both || len(stdin) == 0 || stdin[0] != '"' || string(stdin) == `"true"` || string(stdin) == `"false"` {
		return arguments
	}
	delete(given, "stdin")
	given["input"] = stdin
	changed, err := json.Marshal(given)
	if err != nil {
		return arguments
	}
	return changed
}

// inDigits are arguments with whole numbers as Go reads them: 100.0 and 1e2 are 100.
func inDigits(schema *jsonschema.Schema, arguments json.RawMessage) json.RawMessage {
	given, changed := membersOf(arguments), false
	for name, value := range given {
		p := schema.Properties[name]
		if p == nil || p.Type != "integer" || !bytes.ContainsAny(value, ".eE") {
			continue
		}
		if n, err := strconv.ParseFloat(string(value), 64); err == nil && n == math.Trunc(n) && math.Abs(n) < 1<<53 {
			given[name], changed = json.RawMessage(strconv.FormatInt(int64(n), 10)), true
		}
	}
	if !changed {
		return arguments
	}
	all, err := json.Marshal(given)
	if err != nil {
		return arguments
	}
	return all
}

// withoutNulls returns a JSON object without the members that are null, which is how
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

// seconds returns a parameter in seconds as a duration, which is 0 only if the parameter is:
// that may mean for ever.
func seconds(name string, value float64) (time.Duration, error) {
	switch {
	case math.IsNaN(value):
		return 0, fmt.Errorf("%s is no number", name)
	case value < 0:
		return 0, fmt.Errorf("%s is %v; it must not be negative", name, value)
	case value > math.MaxInt64/2/float64(time.Second):
		return math.MaxInt64 / 2, nil
	case value > 0:
		return max(1, time.Duration(value*float64(time.Second))), nil
	}
	return 0, nil
}

// secondsOr is seconds of a parameter that stands for otherwise if it is left out.
func secondsOr(name string, value *float64, otherwise time.Duration) (time.Duration, error) {
	if value == nil {
		return otherwise, nil
	}
	return seconds(name, *value)
}
