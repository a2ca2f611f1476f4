package mcpserver

import (
	"cmp"
	"fmt"
	"os"
	"path"
	"path/filepath"
	"slices"

	"github.com/procession-go/procession"
)

// policy is what clients may start, and where.
type policy struct {
	allow, deny []string
	root        string // without symbolic links; "" if there is none
	maxOutput   int64  // 0 if there is none
}

func newPolicy(o Options) (*policy, error) {
	p := &policy{allow: o.Allow, deny: o.Deny, maxOutput: o.MaxOutput}
	for _, pattern := range slices.Concat(o.Allow, o.Deny) {
		if _, err := path.Match(pattern, ""); err != nil || pattern == "" {
			return nil, fmt.Errorf("mcpserver: the pattern %q is malformed", pattern)
		}
	}
	if o.Root == "" {
		return p, nil
	}
	root, err := filepath.Abs(o.Root)
	if err == nil {
		root, err = filepath.EvalSymlinks(root)
	}
	if err == nil {
		err = isDirectory(root)
	}
	if err != nil {
		return nil, fmt.Errorf("mcpserver: root: %w", err)
	}
	p.root = root
	return p, nil
}

// check says why a client may not start that, nil if it may, and completes spec
// with the directory to start it in.
func (p *policy) check(spec *procession.Spec, cwd string) error {
	dir, err := p.directory(cwd)
	if err != nil {
		return err
	}
	spec.Dir = dir
	if err := p.outputLimit(spec); err != nil {
		return err
	}
	return decide(p.allow, withLinks(p.deny), programOf(spec.Command, dir))
}

func (p *policy) outputLimit(spec *procession.Spec) error {
	asked := spec.OutputLimit
	switch {
	case asked < procession.Unlimited:
		return fmt.Errorf("output_limit is %d; give a number of bytes, or -1 for no limit", asked)
	case p.maxOutput > 0 && (asked == procession.Unlimited || asked > p.maxOutput):
		return fmt.Errorf("output_limit is %d; this server retains %d bytes of a process's output at the most", asked, p.maxOutput)
	case p.maxOutput > 0 && asked == 0:
		spec.OutputLimit = min(p.maxOutput, procession.DefaultOutputLimit)
	}
	return nil
}

// directory returns the directory that cwd means, absolute; "" is the server's own.
func (p *policy) directory(cwd string) (string, error) {
	if cwd == "" {
		return p.root, nil
	}
	dir := cwd
	if p.root != "" && !filepath.IsAbs(dir) {
		dir = filepath.Join(p.root, dir)
	}
	if p.root == "" {
		dir, err := filepath.Abs(dir)
		return dir, wrongDirectory(cwd, cmp.Or(err, isDirectory(dir)))
	}
	real, err := filepath.EvalSymlinks(dir)
	if err != nil && within(p.root, filepath.Clean(dir)) {
		return "", wrongDirectory(cwd, err)
	}
	if err != nil || !within(p.root, real) { // of what is outside not even that it exists
		return "", fmt.Errorf("cwd %q is outside of %s, the directory that processes of this server must start in", cwd, p.root)
	}
	return real, wrongDirectory(cwd, isDirectory(real))
}

// within reports whether dir is root or below it. Both are absolute and clean.
func within(root, dir string) bool {
	rel, err := filepath.Rel(root, dir)
	return err == nil && filepath.IsLocal(rel)
}

func isDirectory(name string) error {
	switch info, err := os.Stat(name); {
	case err != nil:
		return err
	case !info.IsDir():
		return fmt.Errorf("%s is not a directory", name)
	}
	return nil
}

func wrongDirectory(cwd string, err error) error {
	if err != nil {
		return fmt.Errorf("cwd %q: %w", cwd, err)
	}
	return nil
}
