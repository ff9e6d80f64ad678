package invocation

import (
	"log/slog"

	"syncd/config"
	"syncd/internal/printable"
	"syncd/internal/terminal"
	"syncd/internal/usage"
)

// newLogger returns a logger that writes to stderr, in the format of the configuration; auto means
// text on a terminal and JSON elsewhere. A level given on the command line overrides the
// configuration.
func newLogger(p Process, c config.Log, level string) (*slog.Logger, error) {
	options := &slog.HandlerOptions{Level: c.Level.Level(), ReplaceAttr: readable}
	if level != "" {
		var parsed slog.Level
		if err := parsed.UnmarshalText([]byte(level)); err != nil {
			return nil, usage.UnknownWord("read --log-level:", level, []string{"debug", "info", "warn", "error"})
		}
		options.Level = parsed
	}
	if c.Format == config.LogFormatText || c.Format == config.LogFormatAuto && terminal.IsTerminal(p.Stderr) {
		return slog.New(slog.NewTextHandler(printable.Lines(p.Stderr), options)), nil
	}
	return slog.New(slog.NewJSONHandler(printable.JSON(p.Stderr), options)), nil
}

// readable formats durations as 1.5s instead of 1500000000, in JSON too.
func readable(_ []string, a slog.Attr) slog.Attr {
	if a.Value.Kind() == slog.KindDuration {
		a.Value = slog.StringValue(a.Value.Duration().String())
	}
	return a
}
