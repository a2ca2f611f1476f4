package poolfile

import (
	"bufio"
	"bytes"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/procession-go/procession/messages"
)

// procLine is a line of a Procfile.
type procLine struct {
	name, command string
	line          int
}

// procfileLine is what foreman takes for one; the rest of the name's characters
// would be trouble in the name of a log.
var procfileLine = lazily(`^([A-Za-z0-9_-]+)\s*:\s*(\S.*)$`)

// parseProcfile reads a Procfile and the .env beside it.
func parseProcfile(s source, o Options) (*Pool, error) {
	r := &report{path: s.path}
	lines := procLines(s.data, r)
	env := besideIt(s, r)
	counts := parseFormation(o.Formation, lines, r)
	base := basePort(o, env, r)
	pool := &Pool{Path: s.path}
	for i, l := range lines {
		for n := 1; n <= counts[l.name]; n++ {
			port := base + 100*i + n - 1
			if port > 65535 {
				r.add(l.line, "%s.%d would have port %d, which is more than 65535", l.name, n, port)
				break
			}
			spec := messages.Shell(l.command)
			spec.Name = fmt.Sprintf("%s.%d", l.name, n)
			spec.Dir = s.dir
			spec.Stdin = true // programs that rebuild on changes end with their input
			spec.Env = maps.Clone(env)
			spec.Env["PORT"], spec.Env["PS"] = strconv.Itoa(port), spec.Name
			pool.Processes = append(pool.Processes, Process{Spec: spec, Line: l.line})
		}
	}
	if len(r.problems) == 0 && len(pool.Processes) == 0 {
		r.add(0, "nothing to run")
	}
	if err := r.result(); err != nil {
		return nil, err
	}
	pool.Warnings = r.warnings.inOrder()
	return pool, nil
}

func procLines(data []byte, r *report) []procLine {
	var lines []procLine
	first := map[string]int{}
	scanner := bufio.NewScanner(bytes.NewReader(bytes.TrimPrefix(data, []byte("\ufeff"))))
	scanner.Buffer(nil, len(data)+1)
	for n := 1; scanner.Scan(); n++ {
		line := strings.TrimSpace(scanner.Text())
		if line == "" || line[0] == '#' {
			continue
		}
		match := procfileLine().FindStringSubmatch(line)
		switch {
		case strings.Contains(line, "\x00"):
			r.add(n, "a NUL byte")
		case match == nil:
			r.add(n, "want %q, got %q", "name: command", line)
		case first[match[1]] != 0:
			r.add(n, "duplicate name %q (first on line %d)", match[1], first[match[1]])
		default:
			first[match[1]] = n
			lines = append(lines, procLine{match[1], match[2], n})
		}
	}
	return lines
}

// besideIt reads the .env beside the file, if there is one.
func besideIt(s source, r *report) map[string]string {
	data, err := s.readIfThere(s.beside(".env"))
	if err != nil {
		r.add(0, "%v", err)
	}
	return r.envFile(&s, s.named(".env"), data, map[string]string{})
}

// maxInstances is far more than anybody has meant.
const maxInstances = 1000

// parseFormation returns how many of each line are to run. As with foreman, those
// that a formation does not name are left out, unless it has "all".
func parseFormation(formation string, lines []procLine, r *report) map[string]int {
	counts := map[string]int{}
	var names []string
	for _, l := range lines {
		names = append(names, l.name)
	}
	all := 0
	if strings.TrimSpace(formation) == "" {
		all = 1
	}
	given := map[string]int{}
	for pair := range strings.SplitSeq(formation, ",") {
		name, number, ok := strings.Cut(strings.TrimSpace(pair), "=")
		name = strings.TrimSpace(name)
		n, err := strconv.Atoi(strings.TrimSpace(number))
		switch {
		case strings.TrimSpace(formation) == "":
		case !ok || err != nil || n < 0:
			r.add(0, "formation %q: want name=number, got %q", formation, pair)
		case n > maxInstances:
			r.add(0, "formation %q: %d are too many (at most %d)", formation, n, maxInstances)
		case name == "all":
			all = n
		default:
			given[name] = n
		}
	}
	for _, name := range names {
		counts[name] = all
		if n, ok := given[name]; ok {
			counts[name] = n
			delete(given, name)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(given)) {
		r.add(0, "formation %q: there is no %q%s", formation, name, suggest(name, append(names, "all")))
	}
	return counts
}

const defaultPort = 5000

// basePort returns the first that is set.
func basePort(o Options, env map[string]string, r *report) int {
	if o.Port != 0 {
		if o.Port < 0 || o.Port > 65535 {
			r.add(0, "port %d is not between 1 and 65535", o.Port)
		}
		return o.Port
	}
	text, where := env["PORT"], ".env"
	if text == "" && o.Getenv != nil {
		text, where = o.Getenv("PORT"), "the environment"
	}
	if text == "" {
		return defaultPort
	}
	port, err := strconv.Atoi(text)
	if err != nil || port < 1 || port > 65535 {
		r.add(0, "PORT=%q of %s is not a port", text, where)
		return defaultPort
	}
	return port
}
