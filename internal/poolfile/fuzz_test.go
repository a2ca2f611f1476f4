package poolfile

import (
	"bytes"
	"testing"

	"github.com/stretchr/testify/require"
)

// checkParsed checks what must hold of whatever was parsed: it is a pool that
// can be run, or all problems name a place.
func checkParsed(t *testing.T, data []byte, pool *Pool, err error) {
	t.Helper()
	if err != nil {
		require.Nil(t, pool, "a pool, and an error: %v", err)
		var problems Problems
		require.ErrorAs(t, err, &problems)
		require.NotEmpty(t, problems)
		lines := 2
		for _, end := range []string{"\n", "\r", "\u0085", "\u2028", "\u2029"} {
			lines += bytes.Count(data, []byte(end))
		}
		for _, p := range problems {
			require.NotEmpty(t, p.Path, "%+v", p)
			require.NotEmpty(t, p.Text, "%+v", p)
			require.GreaterOrEqual(t, p.Line, 0, "%+v", p)
			require.LessOrEqual(t, p.Line, lines, "%+v", p)
		}
		return
	}
	require.NotNil(t, pool, "no pool, and no error")
	index := pool.index()
	require.Len(t, index, len(pool.Processes), "the names of the processes")
	require.NotEmpty(t, pool.Processes)
	place := map[int]int{}
	for at, i := range pool.StartOrder() {
		place[i] = at
	}
	for i, p := range pool.Processes {
		require.NotEmpty(t, p.Spec.Command, "%+v", p)
		require.NotEmpty(t, p.Spec.Name, "%+v", p)
		require.GreaterOrEqual(t, p.Line, 1, "%+v", p)
		for _, d := range p.DependsOn {
			require.Contains(t, index, d.Name, "%s depends on it", p.Spec.Name)
			require.Less(t, place[index[d.Name]], place[i], "%s depends on %s, and comes after it", p.Spec.Name, d.Name)
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
