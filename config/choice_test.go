package config_test

import (
	"log/slog"
	"testing"

	"syncd/config"
)

func TestLogLevel(t *testing.T) {
	for level, want := range map[config.LogLevel]slog.Level{
		config.LogLevelDebug: slog.LevelDebug,
		config.LogLevelInfo:  slog.LevelInfo,
		config.LogLevelWarn:  slog.LevelWarn,
		config.LogLevelError: slog.LevelError,
		"":                   slog.LevelInfo,
	} {
		if got := level.Level(); got != want {
			t.Errorf("%q: got %v, want %v", level, got, want)
		}
	}
}
