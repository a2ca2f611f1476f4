package poolfile

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// Options are what a Procfile takes from the command line, as foreman does.
type Options struct {
	// Formation is how many of each process to run: "web=2,worker=1", with
	// "all=1" for those that are not named, which are left out otherwise. ""
	// is "all=1". The processes are then called web.1, web.2, worker.1.
	Formation string
	// Port is the base of the PORT that each process gets: 100 more for each
	// line of the Procfile, 1 more for each further process of the same line.
	// 0 is the PORT of the .env file, that of the environment, or 5000.
	Port int
	// Getenv looks up the environment; nil is os.Getenv.
	Getenv func(string) string
}

// ErrNoFile means that the directory has no file that describes a pool.
var ErrNoFile = errors.New("no procession.yaml, procession.yml or Procfile here")

// Find returns the file that describes the pool of a directory.
func Find(dir string) (string, error) {
	for _, name := range []string{"procession.yaml", "procession.yml", "Procfile"} {
		path := filepath.Join(dir, name)
		if info, err := os.Stat(path); err == nil && !info.IsDir() {
			return path, nil
		}
	}
	return "", ErrNoFile
}

// IsYAML reports whether a file of that name is read as YAML; any other is a
// Procfile.
func IsYAML(path string) bool {
	ext := strings.ToLower(filepath.Ext(path))
	return ext == ".yaml" || ext == ".yml"
}

// Load reads the file and the files that it names. If something is wrong with their
// content, the error is Problems. Any other error means that the file cannot be
// read.
func Load(path string, o Options) (*Pool, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	dir, err := filepath.Abs(filepath.Dir(path))
	if err != nil {
		return nil, err
	}
	source := source{path: path, dir: dir, data: data, read: os.ReadFile, lookup: os.LookupEnv}
	if IsYAML(path) {
		return parseYAML(source)
	}
	if o.Getenv == nil {
		o.Getenv = os.Getenv
	}
	return parseProcfile(source, o)
}

// source is a file to parse.
type source struct {
	path string // as problems name it
	dir  string // what paths in it are relative to
	data []byte
	read func(path string) ([]byte, error)
	// lookup looks up the environment, for $ in files of variables; nil finds nothing.
	lookup func(name string) (value string, set bool)
}

// beside returns a path that is named in the file.
func (s *source) beside(path string) string {
	if filepath.IsAbs(path) {
		return path
	}
	return filepath.Join(s.dir, path)
}

// named returns how problems name a file that is named in the file.
func (s *source) named(path string) string {
	if filepath.IsAbs(path) {
		return path
	}
	return filepath.Join(filepath.Dir(s.path), path)
}

// readIfThere is nil if there is no such file.
func (s *source) readIfThere(path string) ([]byte, error) {
	data, err := s.read(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	return data, err
}
