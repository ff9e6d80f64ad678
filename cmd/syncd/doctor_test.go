package main

import (
	"strings"
	"testing"
)

// TestDoctorMissingRole checks that the doctor exits with 1, names the trust policy, and lists the
// checks that cannot be made without the role.
func TestDoctorMissingRole(t *testing.T) {
	s := newSite(t, func(text string) string { return strings.ReplaceAll(text, "role/syncd-consumer", "role/nobody") })
	got := s.run(t.Context(), "doctor")
	if got.code != 1 || got.stderr != "syncd: 1 check failed\n" {
		t.Errorf("got code %d and %q, want 1 and the failed checks", got.code, got.stderr)
	}
	for _, want := range []string{"  FAILED   assume ", "1. trust policy of arn:aws:iam::222222222222:role/nobody", `add {"Effect":"Allow","Principal":`, "checks: role consumer cannot be assumed"} {
		if !strings.Contains(got.stdout, want) {
			t.Errorf("got %s, want it to contain %q", got.stdout, want)
		}
	}
}
