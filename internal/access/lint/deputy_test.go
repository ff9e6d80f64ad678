package lint_test

import (
	"slices"
	"strings"
	"testing"

	"syncd/config"
	"syncd/internal/access/accesstest"
	"syncd/internal/access/doctor"
	"syncd/internal/access/lint"
	"syncd/internal/access/lint/rule"
)

// TestRolesOfOtherOwnersWithoutAnExternalID checks that the doctor and policy check warn about a
// role of another owner that is assumed without an ExternalId, and that the configuration remains
// valid. There is no warning with an ExternalId, with external_id: none, and for the operator's own
// roles.
func TestRolesOfOtherOwnersWithoutAnExternalID(t *testing.T) {
	for _, tt := range []struct {
		name    string
		example string
		set     func(c *config.Config)
		want    []string
	}{
		{"the owner's role", "two-roles", func(c *config.Config) { accesstest.WithoutExternalID(c, "owner") }, []string{"owner"}},
		{"the owner's role, as it is", "two-roles", func(*config.Config) {}, nil},
		{"the owner's role that needs none", "two-roles", func(c *config.Config) { accesstest.WithNoExternalID(c, "owner") }, nil},
		{"the operator's own role", "one-role", func(*config.Config) {}, nil},
		{"a governance account's role", "chain", func(c *config.Config) { accesstest.WithoutExternalID(c, "governance") }, []string{"governance"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c := accesstest.Load(t, tt.example)
			tt.set(c)
			r, err := lint.Check(nil, lint.Options{Config: c})
			if err != nil {
				t.Fatal(err)
			}
			var judged []string
			for _, f := range r.Findings {
				if f.ID == "SYNCD-P404" {
					judged = append(judged, strings.Fields(f.Message)[1])
					if f.Severity != rule.SeverityWarning || !strings.Contains(f.Message, "confused deputy") || !strings.Contains(f.Fix, "none") {
						t.Errorf("got %+v, want a warning with the reason and the fix", f)
					}
				}
			}
			d, err := doctor.Foresee(c, nil)
			if err != nil {
				t.Fatal(err)
			}
			var warned []string
			for _, p := range d.Probes {
				if p.Outcome == doctor.OutcomeWarning && !slices.Contains(warned, p.Causes[0].Target) {
					warned = append(warned, p.Causes[0].Target)
				}
			}
			want := make([]string, len(tt.want))
			for i, name := range tt.want {
				want[i] = "roles." + name + ".external_id"
			}
			if !slices.Equal(judged, tt.want) || !slices.Equal(warned, want) || !d.Healthy() {
				t.Errorf("got %q from policy check and %q from the doctor, healthy %v, want %q, and no failures", judged, warned, d.Healthy(), tt.want)
			}
		})
	}
}
