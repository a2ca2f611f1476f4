package dotenv

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

// environment is what there is besides the file.
var environment = map[string]string{"HOME": "/h", "lower": "low", "OPT": "/usr/bin", "EMPTY": "", "A": "outer"}

func lookup(name string) (string, bool) {
	value, set := environment[name]
	return value, set
}

// parsed is what a file sets, if nothing is wrong with it.
func parsed(t require.TestingT, text string) map[string]string {
	file := Parse([]byte(text), lookup)
	require.Empty(t, file.Errors, "%q", text)
	require.Empty(t, file.Warnings, "%q", text)
	return file.Values
}

// What sh, python-dotenv 0.21 and Node's dotenv 18 make of a file, all the same.
var agreed = map[string]string{
	`V=plain`: "plain", `V=`: "", `V=""`: "", `V=''`: "", `V=a=b`: "a=b", `V=é`: "é", `  V=1`: "1",
	"# c\n\nV=1": "1", `export V=1`: "1", `export  V='x y'`: "x y", "V=1\nV=2": "2",
	`V=a # c`: "a", `V="a" # c`: "a", `V="a # c" # d`: "a # c", `V="#a"`: "#a", `V='#a'`: "#a",
	`V='a$HOME'`: "a$HOME", `V='$HOME'`: "$HOME", `V='a\nb'`: `a\nb`, `V='a\b'`: `a\b`, `V='{"a": 1}'`: `{"a": 1}`,
	`V="'"`: "'", `V='"'`: `"`, `V='=a'`: "=a", `V='x y'`: "x y", `V="x y"`: "x y", `V="é ü"`: "é ü",
	"V='a\nb'": "a\nb", "V=\"a\nb\"": "a\nb", "V=\"a\tb\"": "a\tb", `V="a\qb"`: `a\qb`,
	`V=$`: "$", `V=a$`: "a$", `V="$"`: "$",
}

// What sh and Docker Compose (compose-go 2.16) make of one, where the others differ.
var expanded = map[string]string{
	`V=/opt/bin:$OPT`: "/opt/bin:/usr/bin", `V=${HOME}/x`: "/h/x", `V="${HOME}"`: "/h", `V="a$HOME"`: "a/h",
	`V=${NOPE:-dflt}`: "dflt", `V=${NOPE-d}`: "d", `V=${lower}`: "low", `V=${EMPTY:-d}`: "d", `V=${EMPTY-d}`: "",
	`V=${HOME:+alt}`: "alt", `V=${NOPE:+alt}`: "", `V=${EMPTY+alt}`: "alt", `V=${HOME:?no}`: "/h",
	`V=${NOPE:-${HOME}}`: "/h", `V=${NOPE:-${NOPE2:-$HOME/x}}/y`: "/h/x/y",
	"B=1\nV=$B": "1", "B=1\nV=${B}b": "1b", "B=1\nV=\"${B}b\"": "1b", "OPT=/a:$OPT\nV=$OPT": "/a:/usr/bin",
	`V="--title=\"My App\""`: `--title="My App"`, `V="a\\"`: `a\`, `V="\$HOME"`: "$HOME", `V="\\$HOME"`: `\/h`,
}

func TestValuesOnWhichOthersAgree(t *testing.T) {
	for text, want := range agreed {
		assert.Equal(t, want, parsed(t, text)["V"], "%q", text)
	}
	for text, want := range expanded {
		assert.Equal(t, want, parsed(t, text)["V"], "%q", text)
	}
}

// The shell is here to be asked.
func TestTheShellAgrees(t *testing.T) {
	path := filepath.Join(t.TempDir(), "env")
	for _, table := range []map[string]string{agreed, expanded} {
		for text, want := range table {
			require.NoError(t, os.WriteFile(path, []byte(text), 0o600))
			cmd := exec.Command("/bin/sh", "-c", `. "$0"; printf %s "$V"`, path)
			for name, value := range environment {
				cmd.Env = append(cmd.Env, name+"="+value)
			}
			out, err := cmd.CombinedOutput()
			require.NoError(t, err, "%q", text)
			assert.Equal(t, want, string(out), "%q", text)
		}
	}
}

// What Docker Compose makes of a file, where the shell does not read it, or reads
// something else.
func TestAsDockerCompose(t *testing.T) {
	for text, want := range map[string]string{
		"\ufeffV=bom": "bom", `V = x`: "x", `V: yaml`: "yaml", `V=a b c`: "a b c", `V=a#c`: "a#c", `V='a'#c`: "a",
		`V=http://x/#frag`: "http://x/#frag", "V=a\r\nW=b\r\n": "a", `V=  spaced  `: "spaced", "V=\ta": "a",
		`V="a\nb"`: "a\nb", `V="x\ty\r"`: "x\ty\r", `V="C:\temp"`: "C:\temp", `V="C:\Users"`: `C:\Users`,
		`V=C:\temp`: `C:\temp`, `V='C:\temp'`: `C:\temp`, `V=a\nb`: `a\nb`, `V='it\'s'`: "it's", `V='a\\b'`: `a\\b`,
		`V={"a":1}`: `{"a":1}`, `V=a"b"c`: `a"b"c`, "V=`x`": "`x`", `V=$(date)`: "$(date)", `V=cost$5`: "cost$5",
		`V=$$x`: "$x", `V="$$x"`: "$x", `V=${NOPE:-a b}`: "a b",
	} {
		assert.Equal(t, want, parsed(t, text)["V"], "%q", text)
	}
	// And where it makes what nobody means: the shell's value, and that of the file itself.
	assert.Equal(t, "$x", parsed(t, `V=\$x`)["V"])
	assert.Equal(t, "inner", parsed(t, "A=inner\nV=$A")["V"])
	// A name alone is that variable of the environment.
	assert.Equal(t, map[string]string{"HOME": "/h", "lower": "low"}, parsed(t, "HOME\nexport lower # why\nNOPE"))
}

func TestRemarks(t *testing.T) {
	for text, want := range map[string]File{
		"a-b=1\nA=1":      {Values: map[string]string{"A": "1"}, Warnings: []Remark{{1, `"a-b" is no name of a variable: skipped`}}},
		"A=1\n1B=2":       {Values: map[string]string{"A": "1"}, Warnings: []Remark{{2, `"1B" is no name of a variable: skipped`}}},
		"a.b='1\n2'\nA=1": {Values: map[string]string{"A": "1"}, Warnings: []Remark{{1, `"a.b" is no name of a variable: skipped`}}},
		"B C=$NOPE\nA=1":  {Values: map[string]string{"A": "1"}, Warnings: []Remark{{1, `"B C" is no name of a variable: skipped`}}},
		"=x\né=y\nA=1": {Values: map[string]string{"A": "1"}, Warnings: []Remark{
			{1, `"" is no name of a variable: skipped`}, {2, `"é" is no name of a variable: skipped`}}},
		"don't: \"x\nA=1": {Values: map[string]string{"A": "1"}, Warnings: []Remark{{1, `"don't" is no name of a variable: skipped`}}},
		"\nA=$NOPE-${NO}": {Values: map[string]string{"A": "-"}, Warnings: []Remark{{2, "NOPE is not set: empty"}, {2, "NO is not set: empty"}}},
		"A='1\n2\nB=3":    {Values: map[string]string{}, Errors: []Remark{{1, "unterminated quoted value"}}},
		"A='1\n2' x\nB=3": {Values: map[string]string{"B": "3"}, Errors: []Remark{
			{1, `want the end of the line, or a comment, after the closing quote; got "x"`}}},
		"A=1\nC-\nB=3":         {Values: map[string]string{"A": "1", "B": "3"}, Errors: []Remark{{2, `unexpected character "-" in variable name`}}},
		"A=${NOPE:?set $HOME}": {Values: map[string]string{"A": ""}, Errors: []Remark{{1, "NOPE is not set: set /h"}}},
		"A=x${B":               {Values: map[string]string{"A": "x"}, Errors: []Remark{{1, "${ has no }; a dollar is $$"}}},
		"A=${1}": {Values: map[string]string{"A": ""}, Errors: []Remark{
			{1, "${1}: want ${NAME}, or :-, :+, :?, -, + or ? after the name; a dollar is $$"}}},
		"A=1\nB=\x00":    {Values: map[string]string{}, Errors: []Remark{{2, "a NUL byte"}}},
		"\xff\xfeA\x00=": {Values: map[string]string{}, Errors: []Remark{{1, "it is in UTF-16; want UTF-8"}}},
	} {
		assert.Equal(t, want, Parse([]byte(text), lookup), "%q", text)
	}
}

func TestIsVariable(t *testing.T) {
	for name, want := range map[string]bool{"A": true, "_": true, "a_1": true, "": false, "1A": false, "A-B": false, "A B": false, "é": false, "A=": false} {
		assert.Equal(t, want, IsVariable(name), "%q", name)
	}
}

// Every value can be written in quotes of either kind, and in several lines.
func TestQuotesKeepEveryValue(t *testing.T) {
	single := strings.NewReplacer("'", `\'`)
	double := strings.NewReplacer(`\`, `\\`, `"`, `\"`, `$`, `\$`, "\r", `\r`)
	rapid.Check(t, func(t *rapid.T) {
		value := strings.ReplaceAll(rapid.String().Draw(t, "value"), "\x00", "")
		if !strings.ContainsAny(value, "\\\r") { // there is nothing for these in single quotes, before a quote and at the end
			assert.Equal(t, map[string]string{"V": value, "W": "1"}, parsed(t, "V='"+single.Replace(value)+"' # c\nW=1"))
		}
		assert.Equal(t, map[string]string{"V": value, "W": "1"}, parsed(t, `V="`+double.Replace(value)+"\"\nW=1"))
	})
}

func FuzzParse(f *testing.F) {
	for text := range agreed {
		f.Add([]byte(text))
	}
	for text := range expanded {
		f.Add([]byte(text))
	}
	f.Add([]byte("A=${B:-${C?\\}}}\nexport\n=:\n'\n\"\\"))
	f.Fuzz(func(t *testing.T, data []byte) {
		file := Parse(data, lookup)
		for name, value := range file.Values {
			assert.True(t, IsVariable(name), "%q", name)
			assert.NotContains(t, value, "\x00")
		}
		for _, r := range append(file.Errors, file.Warnings...) {
			assert.GreaterOrEqual(t, r.Line, 1, "%+v", r)
			assert.LessOrEqual(t, r.Line, 1+strings.Count(string(data), "\n"), "%+v", r)
			assert.NotEmpty(t, r.Text)
		}
	})
}
