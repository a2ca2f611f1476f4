package mcp

import (
	"log/slog"
	"os"
	"runtime"
	"strings"

	"github.com/procession-go/procession/internal/cli/console"
)

// token is what is in the token file, "" if there is none.
func (f *mcpFlags) token(logger *slog.Logger) (string, error) {
	if f.tokenFile == "" {
		return "", nil
	}
	text, err := os.ReadFile(f.tokenFile)
	if err != nil {
		return "", console.Usagef("--token-file: %w", err)
	}
	token := strings.TrimSpace(string(text))
	if token == "" || strings.ContainsAny(token, " \t\r\n") {
		return "", console.Usagef("--token-file: %s does not contain one token; make one with: openssl rand -hex 32 > %s", f.tokenFile, f.tokenFile)
	}
	if info, err := os.Stat(f.tokenFile); err == nil && runtime.GOOS != "windows" && info.Mode().Perm()&0o077 != 0 {
		logger.Warn("others can read the token file; use chmod 600", "file", f.tokenFile, "mode", info.Mode().Perm())
	}
	return token, nil
}
