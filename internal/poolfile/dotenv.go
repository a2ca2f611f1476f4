package poolfile

import (
	"maps"

	"github.com/procession-go/procession/internal/dotenv"
)

// envFile reads variables from a file, whose values may be made of those that the files
// before it have set, and of the environment. It is all of them.
func (r *report) envFile(s *source, path string, data []byte, before map[string]string) map[string]string {
	file := dotenv.Parse(data, func(name string) (string, bool) {
		value, set := before[name]
		if !set && s.lookup != nil {
			value, set = s.lookup(name)
		}
		return value, set
	})
	for _, e := range file.Errors {
		r.problems = append(r.problems, Problem{path, e.Line, e.Text})
	}
	for _, w := range file.Warnings {
		r.warnings = append(r.warnings, Problem{path, w.Line, w.Text})
	}
	all := maps.Clone(before)
	maps.Copy(all, file.Values)
	return all
}
