package poolfile

import (
	"bytes"
	"strings"

	"github.com/joho/godotenv"
)

// parseEnvFile reads NAME=VALUE lines as dotenv tools do.
func parseEnvFile(path string, data []byte) (map[string]string, error) {
	env, err := godotenv.UnmarshalBytes(data)
	r := report{path: path}
	if err != nil {
		text, _, _ := strings.Cut(err.Error(), " near ")
		r.add(envErrorLine(data), "%s", text)
	}
	for name, value := range env {
		if name == "" || strings.ContainsAny(name, "=\x00") || strings.Contains(value, "\x00") {
			r.add(0, "variable %q has a name or a value that cannot be", name)
		}
	}
	return env, r.result()
}

// envErrorLine is the line after the most lines that can be read from the start:
// godotenv does not tell.
func envErrorLine(data []byte) int {
	ends := []int{0}
	for i, b := range data {
		if b == '\n' {
			ends = append(ends, i+1)
		}
	}
	for i := len(ends) - 1; i > 0; i-- {
		if _, err := godotenv.UnmarshalBytes(bytes.Clone(data[:ends[i]])); err == nil {
			return i + 1
		}
	}
	return 1
}
