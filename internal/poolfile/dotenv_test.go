package poolfile

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func environment(name string) (string, bool) {
	value, set := map[string]string{"HOME": "/h", "OPT": "/usr/bin"}[name]
	return value, set
}

func TestDotenvKnowsTheEnvironmentAndWarns(t *testing.T) {
	files := map[string]string{"/dir/.env": "\ufeffOPT=/opt/bin:$OPT\nV=${NOPE:-dflt}${NOPE}\na-b=1\nW=\"--title=\\\"My App\\\"\"\n"}
	pool, err := parseProcfile(source{
		path: "dir/Procfile", dir: "/dir", data: []byte("a: a\nb: b"), read: beside(files), lookup: environment,
	}, Options{})
	require.NoError(t, err)
	for _, p := range pool.Processes {
		assert.Equal(t, "/opt/bin:/usr/bin", p.Spec.Env["OPT"])
		assert.Equal(t, "dflt", p.Spec.Env["V"])
		assert.Equal(t, `--title="My App"`, p.Spec.Env["W"])
		assert.NotContains(t, p.Spec.Env, "a-b")
	}
	assert.Equal(t, Problems{
		{"dir/.env", 2, "NOPE is not set: empty"}, {"dir/.env", 3, `"a-b" is no name of a variable: skipped`},
	}, pool.Warnings)
}

// Of several files each knows what those before it have set; two processes may name
// them in another order.
func TestEnvFilesBuildOnEachOther(t *testing.T) {
	const text = `
processes:
  one: {command: x, env_file: [a.env, b.env], env: {W: own}}
  two: {command: x, env_file: [b.env, a.env]}
  three: {command: x, env_file: b.env}
`
	files := map[string]string{"/dir/a.env": "V=a$HOME\nx.y=1", "/dir/b.env": "W=$V\nV=${V}b"}
	pool, err := parseYAML(source{path: "dir/p.yaml", dir: "/dir", data: []byte(text), read: beside(files), lookup: environment})
	require.NoError(t, err)
	var got []map[string]string
	for _, p := range pool.Processes {
		got = append(got, p.Spec.Env)
	}
	assert.Equal(t, []map[string]string{{"V": "a/hb", "W": "own"}, {"V": "a/h", "W": ""}, {"V": "b", "W": ""}}, got)
	assert.Equal(t, Problems{
		{"dir/a.env", 1 + 1, `"x.y" is no name of a variable: skipped`},
		{"dir/b.env", 1, "V is not set: empty"}, {"dir/b.env", 2, "V is not set: empty"},
	}, pool.Warnings)
}
