package poolfile

import (
	"fmt"
	"io/fs"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// beside answers the files of a directory by their path.
func beside(files map[string]string) func(string) ([]byte, error) {
	return func(path string) ([]byte, error) {
		data, ok := files[path]
		if !ok {
			return nil, &fs.PathError{Op: "open", Path: path, Err: fs.ErrNotExist}
		}
		return []byte(data), nil
	}
}

func TestProcfile(t *testing.T) {
	const procfile = "# what runs\nweb: bin/web --quiet\n\nworker:   bundle exec: work\r\n  one_off-2: true # not a comment\n"
	for _, test := range []struct {
		name, text, env string
		options         Options
		want            string
	}{
		{"each once", procfile, "", Options{}, `
			web.1 5000 /bin/sh -c bin/web --quiet
			worker.1 5100 /bin/sh -c bundle exec: work
			one_off-2.1 5200 /bin/sh -c true # not a comment`},
		{"a formation leaves out what it does not name", procfile, "", Options{Formation: "worker=2"}, `
			worker.1 5100 /bin/sh -c bundle exec: work
			worker.2 5101 /bin/sh -c bundle exec: work`},
		{"unless it has all", procfile, "", Options{Formation: " worker=0, all=1 ", Port: 80}, `
			web.1 80 /bin/sh -c bin/web --quiet
			one_off-2.1 280 /bin/sh -c true # not a comment`},
		{"the port of .env", "a: a", "PORT=7000", Options{Getenv: always("8000")}, "a.1 7000 /bin/sh -c a"},
		{"the port of the environment", "a: a", "X=1", Options{Getenv: always("8000")}, "a.1 8000 /bin/sh -c a"},
		{"the port of the command line", "a: a", "PORT=7000", Options{Port: 9000}, "a.1 9000 /bin/sh -c a"},
		{"a byte order mark", "\ufeffa: a", "", Options{}, "a.1 5000 /bin/sh -c a"},
		{"a bad line", "web: a\nnonsense\nno command:\nx y: z", "", Options{}, `
			dir/Procfile:2: want "name: command", got "nonsense"
			dir/Procfile:3: want "name: command", got "no command:"
			dir/Procfile:4: want "name: command", got "x y: z"`},
		{"a name twice", "a: x\n\na: y", "", Options{}, `dir/Procfile:3: duplicate name "a" (first on line 1)`},
		{"nothing", "# nothing", "", Options{}, "dir/Procfile: nothing to run"},
		{"a formation of nothing", "a: a", "", Options{Formation: "all=0"}, "dir/Procfile: nothing to run"},
		{"a bad formation", "web: a", "", Options{Formation: "wbe=1,web,x=-1,web=a,web=1001"}, `
			dir/Procfile: formation "wbe=1,web,x=-1,web=a,web=1001": want name=number, got "web"
			dir/Procfile: formation "wbe=1,web,x=-1,web=a,web=1001": want name=number, got "x=-1"
			dir/Procfile: formation "wbe=1,web,x=-1,web=a,web=1001": want name=number, got "web=a"
			dir/Procfile: formation "wbe=1,web,x=-1,web=a,web=1001": 1001 are too many (at most 1000)
			dir/Procfile: formation "wbe=1,web,x=-1,web=a,web=1001": there is no "wbe"; did you mean "web"?`},
		{"no port", "a: a", "PORT=many", Options{}, `dir/Procfile: PORT="many" of .env is not a port`},
		{"a port too high", "a: a\nb: b", "", Options{Port: 65500}, "dir/Procfile:2: b.1 would have port 65600, which is more than 65535"},
		{"a port out of range", "a: a", "", Options{Port: 65536}, `
			dir/Procfile: port 65536 is not between 1 and 65535
			dir/Procfile:1: a.1 would have port 65536, which is more than 65535`},
		{"a bad .env", "a: a", "A=1\nB='2\n3'\nC-\n", Options{}, `dir/.env:4: unexpected character "-" in variable name`},
	} {
		t.Run(test.name, func(t *testing.T) {
			files := map[string]string{}
			if test.env != "" {
				files["/dir/.env"] = test.env
			}
			pool, err := parseProcfile(source{path: "dir/Procfile", dir: "/dir", data: []byte(test.text), read: beside(files)}, test.options)
			var got []string
			if err != nil {
				got = strings.Split(err.Error(), "\n")
			} else {
				for _, p := range pool.Processes {
					s := p.Spec
					got = append(got, fmt.Sprintf("%s %s %s %s", s.Name, s.Env["PORT"], s.Command, strings.Join(s.Args, " ")))
					assert.Equal(t, s.Name, s.Env["PS"], "PS")
					assert.Equal(t, "/dir", s.Dir)
				}
			}
			compare(t, got, test.want)
		})
	}
}

func always(value string) func(string) string { return func(string) string { return value } }

// compare compares lines with those of an indented text.
func compare(t *testing.T, got []string, want string) {
	t.Helper()
	var lines []string
	for line := range strings.SplitSeq(strings.TrimSpace(want), "\n") {
		lines = append(lines, strings.TrimSpace(line))
	}
	assert.Equal(t, lines, got)
}

func TestDotenvReachesTheProcess(t *testing.T) {
	files := map[string]string{"/dir/.env": "# secrets\nexport A=1\nB=\"two words\"\nC=${A}2 # why\n"}
	pool, err := parseProcfile(source{path: "Procfile", dir: "/dir", data: []byte("a: a"), read: beside(files)}, Options{})
	require.NoError(t, err)
	assert.Subset(t, pool.Processes[0].Spec.Env, map[string]string{"A": "1", "B": "two words", "C": "12"})
}
