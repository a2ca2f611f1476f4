package mcpserver

import (
	"fmt"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"slices"
	"strings"
)

// program is a program by its names: those by which it may be allowed, and those
// by which it may be denied, which are more.
type program struct {
	command     string
	allow, deny []string
}

// decide says why a program may not be started, nil if it may.
func decide(allow, deny []string, p program) error {
	switch pattern, denied := match(deny, p.deny); {
	case denied:
		return fmt.Errorf("this server does not run %q (it denies %s)", p.command, pattern)
	case len(allow) > 0 && !matches(allow, p.allow):
		hint := ""
		if p.command == shell {
			hint = "; that is the shell, which runs command if there are no args: put the program in command and its arguments in args"
		}
		return fmt.Errorf("this server does not run %q; it runs only %s%s", p.command, strings.Join(allow, ", "), hint)
	}
	return nil
}

func matches(patterns, names []string) bool {
	_, ok := match(patterns, names)
	return ok
}

// match returns the first of patterns that one of names matches.
func match(patterns, names []string) (string, bool) {
	for _, pattern := range patterns {
		for _, name := range names {
			if ok, _ := path.Match(pattern, name); ok {
				return pattern, true
			}
		}
	}
	return "", false
}

// programOf finds out the names of the program that command starts in dir ("" is
// the server's own): its path, as given, as found on PATH and without symbolic
// links, and its base names. A base name does not allow what merely has that name:
// PATH must find the same file by it.
func programOf(command, dir string) program {
	p := program{command: command}
	base := filepath.Base(command)
	found, file := command, command
	if base == command { // a name, to be looked up
		p.allow = append(p.allow, base)
		if at, err := exec.LookPath(command); err == nil {
			found, file = at, at
		}
	} else {
		found = filepath.Clean(command)
		file = found
		if !filepath.IsAbs(found) {
			file = absolute(filepath.Join(dir, found))
		}
		if at, err := exec.LookPath(base); err == nil && sameFile(at, file) {
			p.allow = append(p.allow, base)
		}
	}
	p.allow = append(p.allow, filepath.ToSlash(file))
	p.deny = slices.Concat(p.allow, []string{filepath.ToSlash(command), base, filepath.ToSlash(found)})
	if parent, err := filepath.EvalSymlinks(filepath.Dir(file)); err == nil {
		p.deny = append(p.deny, filepath.ToSlash(filepath.Join(parent, filepath.Base(file))))
	}
	if real, err := filepath.EvalSymlinks(file); err == nil {
		p.deny = append(p.deny, filepath.ToSlash(real), filepath.Base(real))
	}
	return p
}

// absolute is name as an absolute path, or as it is if the working directory
// cannot be found out.
func absolute(name string) string {
	if abs, err := filepath.Abs(name); err == nil {
		return abs
	}
	return name
}

// withLinks are patterns, and those of paths as they are without symbolic links
// too: where /bin is a link to /usr/bin, /bin/rm is also /usr/bin/rm. A link to a
// file of another name stands for itself only: that may be a program that does
// many things, each by its name.
func withLinks(patterns []string) []string {
	all := slices.Clone(patterns)
	for _, pattern := range patterns {
		dir, base := path.Split(pattern)
		if dir == "" || strings.ContainsAny(dir, `*?[\`) {
			continue
		}
		if real, err := filepath.EvalSymlinks(filepath.FromSlash(dir)); err == nil {
			all = append(all, literally(absolute(real))+"/"+base)
		}
		if real, err := filepath.EvalSymlinks(filepath.FromSlash(pattern)); err == nil && filepath.Base(real) == base {
			all = append(all, literally(absolute(real)))
		}
	}
	return all
}

// literally returns a pattern for a path and nothing else.
func literally(name string) string {
	return strings.NewReplacer(`\`, `\\`, `*`, `\*`, `?`, `\?`, `[`, `\[`).Replace(filepath.ToSlash(name))
}

func sameFile(a, b string) bool {
	x, err := os.Stat(a)
	if err != nil {
		return false
	}
	y, err := os.Stat(b)
	return err == nil && os.SameFile(x, y)
}
