package mcpserver

import (
	"os"
	"path"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestDecide(t *testing.T) {
	npm := program{command: "npm", allow: []string{"npm", "/usr/bin/npm"}, deny: []string{"npm", "/usr/bin/npm", "/usr/lib/npm/cli.js", "cli.js"}}
	sh := program{command: "/bin/sh", allow: []string{"sh", "/bin/sh"}, deny: []string{"sh", "/bin/sh", "/usr/bin/dash", "dash"}}
	fake := program{command: "./npm", allow: []string{"/opt/npm"}, deny: []string{"/opt/npm", "npm", "./npm"}}
	type patterns = []string
	for _, test := range []struct {
		allow, deny patterns
		program     program
		want        string
	}{
		{nil, nil, npm, ""},
		{patterns{"npm"}, nil, npm, ""},
		{patterns{"n*"}, nil, npm, ""},
		{patterns{"go", "/usr/bin/*"}, nil, npm, ""},
		{patterns{"/usr/*"}, nil, npm, "runs only /usr/*"},
		{patterns{"go", "git"}, nil, npm, "runs only go, git"},
		{patterns{"npm"}, nil, fake, "runs only npm"},
		{patterns{"/opt/*"}, nil, fake, ""},
		{patterns{"npm"}, patterns{"npm"}, npm, "it denies npm"},
		{nil, patterns{"npm"}, fake, "denies"},
		{nil, patterns{"cli.*"}, npm, "denies"},
		{nil, patterns{"/bin/*"}, npm, ""},
		{nil, patterns{"dash"}, sh, "denies"},
		{patterns{"go"}, nil, sh, "put the program in command and its arguments in args"},
	} {
		err := decide(test.allow, test.deny, test.program)
		if test.want == "" {
			assert.NoError(t, err, "allow %q, deny %q, %s", test.allow, test.deny, test.program.command)
		} else {
			assert.ErrorContains(t, err, test.want, "allow %q, deny %q, %s", test.allow, test.deny, test.program.command)
		}
	}
}

func TestProgramOf(t *testing.T) {
	dir := t.TempDir()
	bin := filepath.Join(dir, "bin")
	write := func(name string) {
		require.NoError(t, os.MkdirAll(filepath.Dir(name), 0o755))
		require.NoError(t, os.WriteFile(name, []byte("#!/bin/sh\n"), 0o755))
	}
	write(filepath.Join(bin, "tool"))
	write(filepath.Join(dir, "work", "tool"))
	require.NoError(t, os.Symlink("tool", filepath.Join(bin, "link")))
	t.Setenv("PATH", bin)
	type outcome struct{ allowed, denied bool }
	for command, want := range map[string]outcome{ // by the base name "tool"
		"tool":                          {true, true},
		filepath.Join(bin, "tool"):      {true, true},
		bin + "/../bin/tool":            {true, true},
		"../bin/tool":                   {true, true},
		"./tool":                        {false, true},
		filepath.Join(dir, "work/tool"): {false, true},
		"link":                          {false, true},
		"other":                         {false, false},
	} {
		p := programOf(command, filepath.Join(dir, "work"))
		got := outcome{matches([]string{"tool"}, p.allow), matches([]string{"tool"}, p.deny)}
		assert.Equal(t, want, got, "%s: allowed are %q, denied %q", command, p.allow, p.deny)
	}
	p := programOf("tool", dir)
	assert.True(t, matches([]string{filepath.Join(bin, "*")}, p.allow), "a name is not found by its path: %q", p.allow)
}

// TestDenyByPath: a program cannot be started by another path than the one that is
// denied.
func TestDenyByPath(t *testing.T) {
	top, err := filepath.EvalSymlinks(t.TempDir())
	require.NoError(t, err)
	at := func(name string) string { return filepath.Join(top, name) }
	for _, dir := range []string{"usr/bin", "opt"} {
		require.NoError(t, os.MkdirAll(at(dir), 0o755))
	}
	for name, target := range map[string]string{ // as where /bin is a link to /usr/bin
		"bin": "usr/bin", "opt/id": "../usr/bin/id", "opt/me": "../usr/bin/id", "usr/bin/rm": "busybox", "usr/bin/ls": "busybox",
	} {
		require.NoError(t, os.Symlink(target, at(name)))
	}
	for _, name := range []string{"usr/bin/id", "usr/bin/busybox", "usr/bin/other"} {
		require.NoError(t, os.WriteFile(at(name), []byte("#!/bin/sh\n"), 0o755))
	}
	t.Chdir(top)
	t.Setenv("PATH", at("bin"))
	for _, test := range []struct {
		deny, command, dir string
		denied             bool
	}{
		{"/usr/bin/id", "id", "", true},
		{"/usr/bin/id", at("usr/bin/id"), "", true},
		{"/usr/bin/id", "usr/bin/id", "", true},
		{"/usr/bin/id", "./usr/bin/id", "", true},
		{"/usr/bin/id", "usr/bin/../../usr/bin/id", "", true},
		{"/usr/bin/id", "bin/id", at("usr"), true},
		{"/usr/bin/id", at("opt/me"), "", true},
		{"/usr/bin/id", "opt/me", "", true},
		{"/usr/bin/id", "other", "", false},
		{"/bin/id", "id", "", true},
		{"/bin/id", at("usr/bin/id"), "", true},
		{"/bin/id", "usr/bin/id", "", true},
		{"/bin/id", "me", at("opt"), false}, // PATH does not find it
		{"/bin/id", "./me", at("opt"), true},
		{"/bin/*", "usr/bin/other", "", true},
		{"/b*/id", "usr/bin/id", "", false}, // a pattern is for the path as it is
		{"/opt/id", "id", "", true},
		{"/opt/me", "id", "", false}, // of another name
		{"/bin/rm", "rm", "", true},
		{"/usr/bin/rm", "bin/rm", "", true},
		{"/bin/rm", "ls", "", false},
		{"/bin/none", "id", "", false},
	} {
		deny := withLinks([]string{top + test.deny})
		_, denied := match(deny, programOf(test.command, test.dir).deny)
		assert.Equal(t, test.denied, denied, "%s, %s in %q", test.deny, test.command, test.dir)
	}
}

func TestLiterally(t *testing.T) {
	for _, name := range []string{`/a*[b]?`, `/plain`, `/back\slash`} {
		ok, err := path.Match(literally(name), name)
		assert.NoError(t, err, name)
		assert.True(t, ok, name)
	}
}
