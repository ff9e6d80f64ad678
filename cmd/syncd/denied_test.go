package main

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"syncd/internal/awsfake"
	"syncd/internal/status"
)

// TestBackfillDenied checks that a denied backfill reports one cause and a hint, that status shows
// that the mapping is denied, and that a backfill succeeds when the policy is fixed.
func TestBackfillDenied(t *testing.T) {
	s := newSite(t, nil)
	for i := range 200 {
		s.Source.Put(fmt.Sprintf("k%03d", i), awsfake.BytesBody([]byte("x")), awsfake.PutOptions{})
	}
	repair := s.Cloud.Inject(awsfake.Fault{Operation: "CopyObject", Kind: awsfake.AccessDenied})
	for range 2 {
		got := s.run(t.Context(), "backfill", "--json")
		summary := lastLine(t, got.stdout)
		if got.code != 1 || summary.Exit != 1 || summary.Result != "denied" || summary.SetAside() != 0 {
			t.Errorf("got exit %d, %+v, want 1 and the result denied", got.code, summary)
		}
		message := got.stderr[strings.LastIndex(got.stderr, "syncd: mapping"):]
		if strings.Count(message, "AccessDenied") != 1 || !strings.Contains(message, "; hint: run `syncd doctor`") || strings.Count(message, "\n") != 1 {
			t.Errorf("got %q, want one line that names the cause once, and the doctor", message)
		}
	}
	var shown status.Status
	if err := json.Unmarshal([]byte(s.run(t.Context(), "status", "--json").stdout), &shown); err != nil {
		t.Fatal(err)
	}
	if shown.Pass == nil || shown.Pass.Refused == nil || shown.Pass.Refused.Reason != "denied" || len(shown.Quarantined) != 0 {
		t.Errorf("got %+v, want the cause and nothing in quarantine", shown)
	}
	if text := s.run(t.Context(), "status").stdout; !strings.Contains(text, "denied       since ") {
		t.Errorf("got %q, want a line with the cause", text)
	}
	repair()
	if got := s.run(t.Context(), "backfill", "--json"); got.code != 0 || lastLine(t, got.stdout).Copied != 200 {
		t.Errorf("after the repair: got exit %d, %s, want all copied", got.code, got.stdout)
	}
}
