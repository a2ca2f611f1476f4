package mcpserver

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/procession-go/procession"
)

func TestDirectory(t *testing.T) {
	top, err := filepath.EvalSymlinks(t.TempDir())
	require.NoError(t, err)
	root := filepath.Join(top, "root")
	for _, dir := range []string{"root/sub", "root-not", "outside"} {
		require.NoError(t, os.MkdirAll(filepath.Join(top, dir), 0o755))
	}
	require.NoError(t, os.WriteFile(filepath.Join(root, "file"), nil, 0o644))
	for name, target := range map[string]string{"root/escape": "../outside", "root/inside": "sub", "entrance": "root"} {
		require.NoError(t, os.Symlink(target, filepath.Join(top, name)))
	}
	p, err := newPolicy(Options{Root: filepath.Join(top, "entrance")})
	require.NoError(t, err)
	for cwd, want := range map[string]string{
		"":                                  root,
		".":                                 root,
		"sub":                               root + "/sub",
		"sub/..":                            root,
		"inside":                            root + "/sub",
		root + "/sub":                       root + "/sub",
		filepath.Join(top, "entrance/sub"):  root + "/sub",
		"..":                                "outside of",
		"../outside":                        "outside of",
		"escape":                            "outside of",
		"escape/..":                         root, // as a path is cleaned
		"/":                                 "outside of",
		top:                                 "outside of",
		filepath.Join(top, "root-not"):      "outside of",
		filepath.Join(top, "no-such-thing"): "outside of",
		"none":                              "no such file",
		"file":                              "not a directory",
	} {
		got, err := p.directory(cwd)
		if filepath.IsAbs(want) {
			assert.NoError(t, err, "%q", cwd)
			assert.Equal(t, want, got, "%q", cwd)
		} else {
			assert.ErrorContains(t, err, want, "%q", cwd)
		}
	}
	for _, bad := range []Options{{Root: filepath.Join(top, "none")}, {Root: filepath.Join(root, "file")}, {Allow: []string{"[a"}}, {Deny: []string{""}}, {Idle: -1}} {
		_, err := New(nil, bad)
		assert.Error(t, err, "%+v", bad)
	}
}

// TestDirectoryWithoutRoot: the program of a relative command is looked for in an
// absolute directory.
func TestDirectoryWithoutRoot(t *testing.T) {
	top := t.TempDir()
	require.NoError(t, os.Mkdir(filepath.Join(top, "sub"), 0o755))
	t.Chdir(top)
	here, err := os.Getwd()
	require.NoError(t, err)
	for cwd, want := range map[string]string{"": "", "sub": filepath.Join(here, "sub"), ".": here, "/": "/"} {
		got, err := (&policy{}).directory(cwd)
		assert.NoError(t, err, "%q", cwd)
		assert.Equal(t, want, got, "%q", cwd)
	}
}

func TestOutputLimit(t *testing.T) {
	for _, test := range []struct{ max, asked, want int64 }{ // want 0 is an error where asked is not 0
		{0, 0, 0}, {0, 5, 5}, {0, -1, -1},
		{10, 0, 10}, {1 << 30, 0, procession.DefaultOutputLimit}, {10, 10, 10}, {10, 11, 0}, {10, -1, 0}, {0, -2, 0},
	} {
		spec := procession.Spec{OutputLimit: test.asked}
		err := (&policy{maxOutput: test.max}).outputLimit(&spec)
		if test.want == 0 && test.asked != 0 {
			assert.Error(t, err, "%+v", test)
			continue
		}
		assert.NoError(t, err, "%+v", test)
		assert.Equal(t, test.want, spec.OutputLimit, "%+v", test)
	}
}

// TestPolicyOfTools: a refused start is a clear error of the tool.
func TestPolicyOfTools(t *testing.T) {
	root := t.TempDir()
	s := newServer(t, Options{Allow: []string{"echo", "sleep"}, Root: root, MaxOutput: 1000})
	c := connect(t, overHTTP(t, s))
	c.fail("start_process", arguments{"command": "echo hi"}, `"/bin/sh"`, "runs only echo, sleep", "args")
	c.fail("start_process", arguments{"command": "cat", "args": []string{"x"}}, `"cat"`, "runs only echo, sleep")
	c.fail("start_process", arguments{"command": "echo", "args": []string{"x"}, "cwd": "/"}, "outside of", root)
	c.fail("start_process", arguments{"command": "echo", "args": []string{"x"}, "output_limit": 1001}, "output_limit", "1000")
	_, r := c.do("start_process", arguments{"command": "echo", "args": []string{"x"}})
	_, r = c.do("get_process_info", arguments{"process_id": r["process_id"]})
	expect(t, r, arguments{"output_limit": 1000, "cwd": s.policy.root})
	text := c.InitializeResult().Instructions
	assert.Contains(t, text, "args", "the instructions say what is allowed")
	assert.Contains(t, text, "root directory", "the instructions say what is allowed")
}
