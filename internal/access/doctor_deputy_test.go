package access_test

import (
	"strings"
	"testing"

	"syncd/internal/access"
)

// The doctor that sends requests warns as well, and the diagnosis stays healthy.
func TestDoctorWarnsOfARoleWithoutAnExternalID(t *testing.T) {
	x := doctored(t, ways()[0])
	name := ""
	for role, r := range x.config.Roles {
		if strings.Contains(r.ARN, owner) {
			name = role
		}
	}
	unset(x.config, name)
	warned := func() (n int) {
		d, err := access.Diagnose(t.Context(), access.DoctorOptions{Config: x.config, Sessions: x.doctorSessions})
		if err != nil {
			t.Fatal(err)
		}
		for _, p := range d.Probes {
			if p.Outcome == access.OutcomeWarning {
				n++
			}
		}
		return n
	}
	if got := warned(); got == 0 {
		t.Error("got no warning, want one")
	}
	none(x.config, name)
	if got := warned(); got != 0 {
		t.Errorf("got %d warnings, want none", got)
	}
}
