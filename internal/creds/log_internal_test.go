package creds

import (
	"bytes"
	"errors"
	"log/slog"
	"strings"
	"testing"

	"github.com/aws/smithy-go/logging"
)

// TestFallingBackIsSaidInOurWords checks that the fallback to IMDSv1 is logged once, with our
// message instead of the SDK's.
func TestFallingBackIsSaidInOurWords(t *testing.T) {
	var log bytes.Buffer
	l := sdkLogger(slog.New(slog.NewTextHandler(&log, nil)))
	for range 10 {
		l.Logf(logging.Warn, "falling back to IMDSv1: %v", errors.New("operation error ec2imds: getToken, http response error StatusCode: 403"))
	}
	const want = `level=WARN msg="instance metadata refused IMDSv2, fell back to IMDSv1" err="`
	if got := log.String(); strings.Count(got, "\n") != 1 || !strings.Contains(got, want) || !strings.Contains(got, "403") {
		t.Errorf("got %s, want one line with %s", got, want)
	}
}

// TestSDKWarnsOnceOfAKind checks that a warning that the SDK repeats for many requests is logged as
// a warning only once.
func TestSDKWarnsOnceOfAKind(t *testing.T) {
	var log bytes.Buffer
	l := sdkLogger(slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug})))
	for i := range 100 {
		l.Logf(logging.Warn, "no checksum of part %d", i)
		l.Logf(logging.Warn, "body of request %d was not read", i)
		l.Logf(logging.Debug, "request %d", i)
	}
	for line, want := range map[string]int{
		`level=WARN msg="aws sdk logged a message" text="no checksum of part 0"`:          1,
		`level=WARN msg="aws sdk logged a message" text="body of request 0 was not read"`: 1,
		"level=WARN":  2,
		"level=DEBUG": 298,
	} {
		if n := strings.Count(log.String(), line); n != want {
			t.Errorf("got %d times %q, want %d", n, line, want)
		}
	}
}
