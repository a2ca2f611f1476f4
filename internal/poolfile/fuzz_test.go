package poolfile

import (
	"bytes"
	"errors"
	"testing"
)

// checkParsed checks what must hold of whatever was parsed: it is a pool that
// can be run, or all problems name a place.
func checkParsed(t *testing.T, data []byte, pool *Pool, err error) {
	if (pool == nil) == (err == nil) {
		t.Fatalf("pool %v, error %v", pool, err)
	}
	if err != nil {
		var problems Problems
		if !errors.As(err, &problems) || len(problems) == 0 {
			t.Fatalf("%T %v", err, err)
		}
		for _, p := range problems {
			if p.Path == "" || p.Text == "" || p.Line < 0 || p.Line > bytes.Count(data, []byte("\n"))+bytes.Count(data, []byte("\r"))+bytes.Count(data, []byte("\u0085"))+bytes.Count(data, []byte("\u2028"))+bytes.Count(data, []byte("\u2029"))+2 {
				t.Fatalf("%+v", p)
			}
		}
		return
	}
	index := pool.index()
	if len(index) != len(pool.Processes) || len(pool.Processes) == 0 {
		t.Fatalf("%d names of %d processes", len(index), len(pool.Processes))
	}
	place := map[int]int{}
	for at, i := range pool.StartOrder() {
		place[i] = at
	}
	for i, p := range pool.Processes {
		if p.Spec.Command == "" || p.Spec.Name == "" || p.Line < 1 {
			t.Fatalf("%+v", p)
		}
		for _, d := range p.DependsOn {
			if on, known := index[d.Name]; !known || place[on] >= place[i] {
				t.Fatalf("%s depends on %s", p.Spec.Name, d.Name)
			}
		}
	}
}

func FuzzProcfile(f *testing.F) {
	for _, seed := range [][2]string{
		{"web: bin/web\n# no\n\nworker: x: y\r\n", "A=1\nB='x y'\n"}, {"nonsense", "=\n\"'"}, {"\ufeffa:b", "export X=${Y}\n"},
	} {
		f.Add([]byte(seed[0]), []byte(seed[1]), "web=2,all=1")
	}
	f.Fuzz(func(t *testing.T, procfile, env []byte, formation string) {
		read := func(string) ([]byte, error) { return env, nil }
		pool, err := parseProcfile(source{path: "Procfile", dir: "/", data: procfile, read: read}, Options{Formation: formation})
		checkParsed(t, append(procfile, env...), pool, err)
	})
}

func FuzzYAML(f *testing.F) {
	for _, seed := range []string{
		"processes:\n  a: {command: x, depends_on: {b: ready}}\n  b: {command: [x, y], ready: {tcp: 'a:1'}}\n",
		"x-a: &a {<<: *a}\nprocesses:\n- {<<: [*a], name: b, command: c, args: [], restart: {when: always}}\n",
		"processes:\n  a: {pty: {rows: 1}, grace: 1s, stop_signal: int, output_limit: 1k, env: {A: ~}, labels: {a: !!binary aa==}}",
		"processes: [{name: a, env_file: x, command: !x y}]\n---\n",
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		read := func(string) ([]byte, error) { return []byte("A=1\n"), nil }
		pool, err := parseYAML(source{path: "p.yaml", dir: "/", data: data, read: read})
		checkParsed(t, data, pool, err)
	})
}
