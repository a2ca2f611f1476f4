package main

import "log/slog"

// newLogger logs to stderr what is wrong with the engine, and nothing else.
func newLogger(c *console) *slog.Logger {
	return slog.New(slog.NewTextHandler(c, &slog.HandlerOptions{Level: slog.LevelWarn}))
}
