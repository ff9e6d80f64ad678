package doctor_test

import (
	"strings"
	"testing"

	"syncd/internal/access/accesstest"
	"syncd/internal/access/doctor"
)

// TestDoctorWarnsOfARoleWithoutAnExternalID checks that Diagnose warns about a role of another
// owner that is assumed without an ExternalId, unless external_id is none.
func TestDoctorWarnsOfARoleWithoutAnExternalID(t *testing.T) {
	x := doctored(t, accesstest.Ways()[0])
	name := ""
	for role, r := range x.Config.Roles {
		if strings.Contains(r.ARN, accesstest.Owner) {
			name = role
		}
	}
	accesstest.WithoutExternalID(x.Config, name)
	warned := func() (n int) {
		d, err := doctor.Diagnose(t.Context(), doctor.Options{Config: x.Config, Sessions: x.doctorSessions})
		if err != nil {
			t.Fatal(err)
		}
		for _, p := range d.Probes {
			if p.Outcome == doctor.OutcomeWarning {
				n++
			}
		}
		return n
	}
	if got := warned(); got == 0 {
		t.Error("got no warning, want one")
	}
	accesstest.WithNoExternalID(x.Config, name)
	if got := warned(); got != 0 {
		t.Errorf("got %d warnings, want none", got)
	}
}
