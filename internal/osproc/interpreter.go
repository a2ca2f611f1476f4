package osproc

import (
	"bytes"
	"debug/elf"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"unicode/utf8"
)

// unfit is why a program that is there cannot be executed. The system tells no more
// than an errno, which is the same if a file is missing and if its interpreter is
// (execve(2)).
type unfit struct {
	errno error
	why   string
}

func (u *unfit) Error() string { return u.errno.Error() + ": " + u.why }

func (u *unfit) Unwrap() error { return u.errno }

// fitness is errno, with the reason if the file at path tells it. Relative paths are
// relative to dir.
func fitness(dir, path string, errno error) error {
	path = beside(dir, path)
	if info, err := os.Stat(path); err != nil || !isProgram(info) {
		return errno
	}
	file, err := os.Open(path)
	if err != nil {
		return errno
	}
	defer file.Close()
	var buf [256]byte // as much as Linux looks at (BINPRM_BUF_SIZE)
	n, _ := file.Read(buf[:])
	if why := unfitness(dir, buf[:n], loader(file), errno); why != "" {
		return &unfit{errno, why}
	}
	return errno
}

// isProgram reports whether somebody may execute a file.
func isProgram(info fs.FileInfo) bool { return info.Mode().IsRegular() && info.Mode()&0o111 != 0 }

// unfitness returns why a program that begins so, and needs that loader, is not executed,
// "" if that does not tell.
func unfitness(dir string, begin []byte, loader string, errno error) string {
	interpreter, isScript := interpreterOf(begin)
	isELF := bytes.HasPrefix(begin, []byte(elf.ELFMAG))
	switch {
	case errors.Is(errno, syscall.ENOEXEC):
		switch {
		case len(begin) == 0:
			return "it is empty"
		case isScript:
			return "its #! line names no interpreter"
		case isELF:
			return "it is damaged, or was not made for this machine"
		case isText(begin):
			return "it is a script without a #! line, so that nothing tells what interprets it"
		}
	case isScript && interpreter != "":
		what := fmt.Sprintf("its interpreter %q", interpreter)
		if strings.HasSuffix(interpreter, "\r") {
			return what + " is missing: its first line ends with a carriage return"
		}
		return missing(dir, what, interpreter, errno)
	case isELF && loader != "":
		return missing(dir, fmt.Sprintf("its loader %q", loader), loader, errno)
	}
	return ""
}

// missing says what is wrong with a file that a program needs, by the errno of its start.
func missing(dir, what, path string, errno error) string {
	info, err := os.Stat(beside(dir, path))
	switch {
	case errors.Is(errno, fs.ErrNotExist) && errors.Is(err, fs.ErrNotExist):
		return what + " is missing"
	case errors.Is(errno, fs.ErrPermission) && err == nil && !isProgram(info):
		return what + " is not executable"
	}
	return ""
}

// interpreterOf returns the interpreter that a #! line names, as Linux reads it.
func interpreterOf(begin []byte) (path string, isScript bool) {
	line, isScript := bytes.CutPrefix(begin, []byte("#!"))
	line, _, _ = bytes.Cut(line, []byte("\n"))
	fields := strings.FieldsFunc(string(line), func(r rune) bool { return r == ' ' || r == '\t' })
	if !isScript || len(fields) == 0 {
		return "", isScript
	}
	return fields[0], true
}

// loader returns what a program in ELF needs to be loaded, "" if that is nothing.
func loader(file *os.File) string {
	program, err := elf.NewFile(file)
	if err != nil {
		return ""
	}
	for _, p := range program.Progs {
		if p.Type == elf.PT_INTERP && p.Filesz < 4096 {
			path := make([]byte, p.Filesz)
			p.ReadAt(path, 0)
			return string(bytes.TrimRight(path, "\x00"))
		}
	}
	return ""
}

func isText(begin []byte) bool {
	for len(begin) > 0 {
		r, size := utf8.DecodeRune(begin)
		if r == utf8.RuneError && len(begin) >= utf8.UTFMax || r < ' ' && !strings.ContainsRune("\t\n\r\f\x1b", r) {
			return false
		}
		begin = begin[size:]
	}
	return true
}

func beside(dir, path string) string {
	if filepath.IsAbs(path) {
		return path
	}
	return filepath.Join(dir, path)
}
