//go:build unix

package osproc

import (
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestWhyAProgramIsNotExecuted(t *testing.T) {
	dir := t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(dir, "plain"), nil, 0o644))
	const noexec, noent, access = syscall.ENOEXEC, syscall.ENOENT, syscall.EACCES
	for name, test := range map[string]struct {
		begin, loader string
		errno         syscall.Errno
		want          string
	}{
		"no #! line":                 {"echo hi\n", "", noexec, "it is a script without a #! line, so that nothing tells what interprets it"},
		"no #! line, not in English": {"# größe\necho\t\x1b[1mhi", "", noexec, "it is a script without a #! line, so that nothing tells what interprets it"},
		"empty":                      {"", "", noexec, "it is empty"},
		"an empty #! line":           {"#! \t\nx", "", noexec, "its #! line names no interpreter"},
		"another machine":            {"\x7fELF\x01\x02", "", noexec, "it is damaged, or was not made for this machine"},
		"garbage":                    {"\x00\x01garbage", "", noexec, ""},
		"garbage, later":             {"garbage\xff\xff\xff\xff\xff", "", noexec, ""},
		"no interpreter":             {"#!/there/is/none -x\necho\n", "", noent, `its interpreter "/there/is/none" is missing`},
		"no interpreter, at the end": {"#! /there/is/none", "", noent, `its interpreter "/there/is/none" is missing`},
		"lines of DOS":               {"#!/bin/sh\r\necho\r\n", "", noent, `its interpreter "/bin/sh\r" is missing: its first line ends with a carriage return`},
		"a relative one":             {"#!none\n", "", noent, `its interpreter "none" is missing`},
		"no loader":                  {"\x7fELF\x02", "/lib/ld-none.so.1", noent, `its loader "/lib/ld-none.so.1" is missing`},
		"no program as interpreter":  {"#!plain\n", "", access, `its interpreter "plain" is not executable`},
		"a directory as interpreter": {"#!/\n", "", access, `its interpreter "/" is not executable`},
		"the interpreter is there":   {"#!/bin/sh\n", "", noent, ""},
		"another reason":             {"#!/there/is/none\n", "", syscall.ETXTBSY, ""},
	} {
		assert.Equal(t, test.want, unfitness(dir, []byte(test.begin), test.loader, test.errno), name)
	}
}

func TestAFailedStartTellsOfTheInterpreter(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "script")
	require.NoError(t, os.WriteFile(path, []byte("#!/there/is/none\n"), 0o755))
	for _, c := range []Command{{Path: path}, {Path: "./script", Dir: dir}} {
		err := c.explain(&fs.PathError{Op: "fork/exec", Path: c.Path, Err: syscall.ENOENT})
		assert.EqualError(t, err, "fork/exec "+c.Path+`: no such file or directory: its interpreter "/there/is/none" is missing`)
		var errno syscall.Errno
		assert.ErrorAs(t, err, &errno)
		assert.Equal(t, syscall.ENOENT, errno)
		assert.ErrorIs(t, err, fs.ErrNotExist)
	}
	gone := Command{Path: filepath.Join(dir, "none")}
	assert.EqualError(t, gone.explain(&fs.PathError{Op: "fork/exec", Path: gone.Path, Err: syscall.ENOENT}),
		"fork/exec "+gone.Path+": no such file or directory")
	fifo := Command{Path: filepath.Join(dir, "fifo")} // which is not opened
	require.NoError(t, syscall.Mkfifo(fifo.Path, 0o755))
	assert.ErrorIs(t, fifo.explain(&fs.PathError{Op: "fork/exec", Path: fifo.Path, Err: syscall.EACCES}), syscall.EACCES)
}
