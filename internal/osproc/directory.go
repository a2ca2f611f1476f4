package osproc

import (
	"errors"
	"io/fs"
	"os"
)

// CheckDir returns the error that chdir(2) to dir gives, nil if there is none: it is
// missing, no directory, or may not be entered.
func CheckDir(dir string) error {
	info, err := os.Stat(dir + "/.") // that is in it, so that it has to be entered
	var pathErr *fs.PathError
	switch {
	case errors.As(err, &pathErr):
		return &fs.PathError{Op: "chdir", Path: dir, Err: pathErr.Err}
	case err == nil && !info.IsDir(): // where paths are put in order before they are looked up
		return &fs.PathError{Op: "chdir", Path: dir, Err: errNotDir}
	}
	return err
}
