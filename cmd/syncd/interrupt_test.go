package main

import (
	"context"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"
	"time"

	"syncd/internal/awsfake"
	"syncd/internal/demo"
	"syncd/internal/invocation"
)

// TestInterruptedCommands checks that commands exit with 130 and print one sentence if they are
// interrupted before they begin or while they work.
func TestInterruptedCommands(t *testing.T) {
	s := newSite(t, nil)
	s.put("one", "two")
	if got := s.run(t.Context(), "backfill"); got.code != 0 {
		t.Fatalf("got exit %d; stderr:\n%s", got.code, got.stderr)
	}
	const m = "--mapping=" + demo.Mapping
	for name, args := range map[string][]string{
		"status":        {"status"},
		"doctor":        {"doctor"},
		"plan":          {"plan"},
		"ledger export": {"ledger", "export", m},
		"ledger rename": {"ledger", "rename", "--from", "former", m},
	} {
		interrupted, stop := context.WithCancel(t.Context())
		stop()
		checkInterrupted(t, name+" before it begins", name, s.run(interrupted, args...))
	}
	if got := s.run(t.Context(), "status", "--quarantine"); got.code != 0 {
		t.Errorf("got exit %d without an interruption; stderr:\n%s", got.code, got.stderr)
	}
	for name, operation := range map[string]string{"doctor": "ListObjectsV2", "plan": "ListObjectsV2"} {
		during, stop := context.WithCancel(t.Context())
		remove := s.Cloud.Inject(awsfake.Fault{Operation: operation, Kind: awsfake.Timeout, Do: stop})
		checkInterrupted(t, name+" in the middle", name, s.run(during, name))
		remove()
		stop()
	}
	during, stop := context.WithCancel(t.Context())
	defer stop()
	silent := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		stop()
		<-r.Context().Done()
	}))
	defer silent.Close()
	var stdout, stderr strings.Builder
	p := invocation.Process{Stdout: &stdout, Stderr: &stderr, ReadFile: os.ReadFile, Now: time.Now, LookupEnv: func(string) (string, bool) { return "", false }}
	code := run(during, []string{"healthcheck", "--url", silent.URL}, p)
	checkInterrupted(t, "healthcheck", "healthcheck", outcome{code, stdout.String(), stderr.String()})
}

// checkInterrupted checks that the message about an interruption is one line and describes the
// state that the command left.
func checkInterrupted(t *testing.T, what, command string, got outcome) {
	t.Helper()
	if got.code != 130 || strings.Contains(got.stdout, "FAILED") || strings.Count(got.stderr, "syncd: ") != 1 || !strings.Contains(got.stderr, "; hint: ") ||
		!strings.Contains(got.stderr, "syncd: "+command+": interrupted") && command != "plan" {
		t.Errorf("%s: got exit %d, want 130 and one sentence; stdout:\n%s\nstderr:\n%s", what, got.code, got.stdout, got.stderr)
	}
}
