// Package signals reads signals as people write them.
package signals

import (
	"fmt"
	"strconv"
	"strings"
	"syscall"
)

// Parse returns the signal that text names: "SIGTERM", "term" or "15".
func Parse(text string) (syscall.Signal, error) {
	if n, err := strconv.Atoi(text); err == nil && n > 0 && n <= 64 {
		return syscall.Signal(n), nil
	}
	name := strings.ToUpper(text)
	if !strings.HasPrefix(name, "SIG") {
		name = "SIG" + name
	}
	if sig := named(name); sig != 0 {
		return sig, nil
	}
	return 0, fmt.Errorf("want a signal such as SIGTERM or SIGINT, got %q", text)
}
