package mcpserver

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/procession-go/procession"
)

func TestDirectory(t *testing.T) {
	top, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	root := filepath.Join(top, "root")
	for _, dir := range []string{"root/sub", "root-not", "outside"} {
		if err := os.MkdirAll(filepath.Join(top, dir), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	os.WriteFile(filepath.Join(root, "file"), nil, 0o644)
	os.Symlink("../outside", filepath.Join(root, "escape"))
	os.Symlink("sub", filepath.Join(root, "inside"))
	os.Symlink("root", filepath.Join(top, "entrance"))
	p, err := newPolicy(Options{Root: filepath.Join(top, "entrance")})
	if err != nil {
		t.Fatal(err)
	}
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
		if err != nil {
			got = err.Error()
		}
		if err == nil && got != want || err != nil && (filepath.IsAbs(want) || !strings.Contains(got, want)) {
			t.Errorf("%q: %s, want %s", cwd, got, want)
		}
	}
	for _, bad := range []Options{{Root: filepath.Join(top, "none")}, {Root: filepath.Join(root, "file")}, {Allow: []string{"[a"}}, {Deny: []string{""}}, {Idle: -1}} {
		if _, err := New(nil, bad); err == nil {
			t.Errorf("%+v is no error", bad)
		}
	}
}

// TestDirectoryWithoutRoot: the program of a relative command is looked for in an
// absolute directory.
func TestDirectoryWithoutRoot(t *testing.T) {
	top := t.TempDir()
	if err := os.Mkdir(filepath.Join(top, "sub"), 0o755); err != nil {
		t.Fatal(err)
	}
	t.Chdir(top)
	here, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	for cwd, want := range map[string]string{"": "", "sub": filepath.Join(here, "sub"), ".": here, "/": "/"} {
		if got, err := (&policy{}).directory(cwd); got != want || err != nil {
			t.Errorf("%q: %s, %v; want %s", cwd, got, err, want)
		}
	}
}

func TestOutputLimit(t *testing.T) {
	for _, test := range []struct{ max, asked, want int64 }{ // want 0 is an error where asked is not 0
		{0, 0, 0}, {0, 5, 5}, {0, -1, -1},
		{10, 0, 10}, {1 << 30, 0, procession.DefaultOutputLimit}, {10, 10, 10}, {10, 11, 0}, {10, -1, 0}, {0, -2, 0},
	} {
		spec := procession.Spec{OutputLimit: test.asked}
		err := (&policy{maxOutput: test.max}).outputLimit(&spec)
		if refused := test.want == 0 && test.asked != 0; (err != nil) != refused || !refused && spec.OutputLimit != test.want {
			t.Errorf("%+v: %d, %v", test, spec.OutputLimit, err)
		}
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
	if text := c.InitializeResult().Instructions; !strings.Contains(text, "args") || !strings.Contains(text, "root directory") {
		t.Errorf("the instructions do not say what is allowed: %s", text)
	}
}
