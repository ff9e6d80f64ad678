package creds

import (
	"bytes"
	"log/slog"
	"strings"
	"testing"

	"github.com/aws/smithy-go/logging"
)

// TestSDKWarnsOnceOfAKind has the SDK warn of many requests.
func TestSDKWarnsOnceOfAKind(t *testing.T) {
	var log bytes.Buffer
	l := sdkLogger(slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug})))
	for i := range 100 {
		l.Logf(logging.Warn, "no checksum of part %d", i)
		l.Logf(logging.Warn, "body of request %d was not read", i)
		l.Logf(logging.Debug, "request %d", i)
	}
	for line, want := range map[string]int{
		`level=WARN msg="aws sdk said" text="no checksum of part 0"`:          1,
		`level=WARN msg="aws sdk said" text="body of request 0 was not read"`: 1,
		"level=WARN":  2,
		"level=DEBUG": 298,
	} {
		if n := strings.Count(log.String(), line); n != want {
			t.Errorf("got %d times %q, want %d", n, line, want)
		}
	}
}
