package system_test

import (
	"bytes"
	"log/slog"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/procession-go/procession/internal/system"
)

func TestItLogsNothingOfItsLife(t *testing.T) {
	var logged bytes.Buffer
	s := system.New(slog.New(slog.NewTextHandler(&logged, &slog.HandlerOptions{Level: slog.LevelDebug})))
	for _, logger := range []*slog.Logger{s.Logger(), s.Logger().With("a", 1), s.Logger().WithGroup("g")} {
		logger.Debug("a detail")
		logger.Info("a step")
	}
	s.Shutdown()
	assert.Empty(t, logged.String())
}

func TestItLogsWhatGoesWrong(t *testing.T) {
	var logged bytes.Buffer
	s := system.New(slog.New(slog.NewTextHandler(&logged, nil)))
	s.Logger().With("a", 1).WithGroup("g").Warn("a warning", "b", 2)
	s.Logger().Error("an error")
	s.Shutdown()
	assert.Contains(t, logged.String(), `level=WARN msg="a warning"`)
	assert.Contains(t, logged.String(), "a=1 g.b=2")
	assert.Contains(t, logged.String(), `level=ERROR msg="an error"`)
}

func TestItLogsNoMoreThanTheLoggerDoes(t *testing.T) {
	var logged bytes.Buffer
	s := system.New(slog.New(slog.NewTextHandler(&logged, &slog.HandlerOptions{Level: slog.LevelError})))
	s.Logger().Warn("a warning")
	s.Shutdown()
	assert.Empty(t, logged.String())
}
