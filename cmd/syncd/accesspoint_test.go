package main

import (
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"syncd/config"
	"syncd/internal/access"
	"syncd/internal/access/policy"
	"syncd/internal/assembly"
	"syncd/internal/awsfake"
	"syncd/internal/demo"
	"syncd/internal/iam"
	"syncd/internal/syncer/provenance"
)

// pointSite returns a site with the two accounts of the demo, whose source is read through an
// access point of a third account. The configuration names the access point by its alias, and the
// accounts have only the policies that `syncd policy` writes.
func pointSite(t *testing.T) (*site, *awsfake.AccessPoint) {
	t.Helper()
	s := newSite(t, nil)
	point := s.Cloud.Account("333333333333").CreateAccessPoint("partner", s.Source, nil)
	text, err := os.ReadFile(s.config)
	if err != nil {
		t.Fatal(err)
	}
	edited := strings.NewReplacer(
		"source: {bucket: "+demo.Source, "source: {underlying_bucket: "+demo.Source+", access_point: \""+point.ARN()+"\", bucket: "+point.Alias(),
		"tags: {access-project: demo}", "tags: {access-project: demo}\n    session_policy: scoped",
	).Replace(string(text))
	if err := os.WriteFile(s.config, []byte(edited), 0o600); err != nil {
		t.Fatal(err)
	}
	c, err := config.Load(s.config)
	if err != nil {
		t.Fatal(err)
	}
	documents, err := policy.Documents(c, policy.Options{ExternalID: func(string) (string, error) { return demo.ExternalID, nil }})
	if err != nil {
		t.Fatal(err)
	}
	for _, d := range documents {
		switch d.Kind { //nolint:exhaustive // the trust policy is unchanged, and the consumer's key policy allows its account
		case access.KindAccessPoint:
			point.SetPolicy(d.Policy())
		case access.KindBucket:
			if d.Target == demo.Source {
				s.Source.SetPolicy(d.Policy())
			}
		case access.KindIdentity:
			if d.Target == s.Role.ARN {
				s.Role.SetPolicies(d.Policy())
			}
		case access.KindKey:
			if d.Account == demo.Owner {
				s.OwnerKey.SetPolicy(&iam.Document{Version: iam.Version2012, Statements: append(demo.Document(demo.OwnerKeyPolicy, s.World).Statements, d.Policy().Statements...)})
			}
		}
	}
	return s, point
}

func TestBackfillFromAnAccessPoint(t *testing.T) {
	s, point := pointSite(t)
	s.FillVaried()
	if got := s.run(t.Context(), "backfill"); got.code != 0 {
		t.Fatalf("got exit %d, want 0; stderr:\n%s", got.code, got.stderr)
	}
	if diff := cmp.Diff(s.Source.Keys(), s.Destination.Keys()); diff != "" {
		t.Errorf("keys (-source +copy):\n%s", diff)
	}
	if got := s.Cloud.BucketRequests(demo.Source); len(got) != 0 {
		t.Errorf("got requests to the bucket behind the access point %v, want none", got)
	}
	if got := s.run(t.Context(), "doctor"); got.code != 0 {
		t.Errorf("doctor: got exit %d, want 0:\n%s", got.code, got.stdout)
	}
	point.SetPolicy(nil)
	got := s.run(t.Context(), "doctor")
	if want := "access-point policy of " + point.ARN(); got.code != 1 || !strings.Contains(got.stdout, want) {
		t.Errorf("doctor without its policy: got exit %d, want 1 and %q:\n%s", got.code, want, got.stdout)
	}
}

// TestAccessPointIsOneSource checks that the alias and the ARN of an access point name the same
// source: replacing the alias with the ARN copies nothing again.
func TestAccessPointIsOneSource(t *testing.T) {
	s, point := pointSite(t)
	c, err := config.Load(s.config)
	if err != nil {
		t.Fatal(err)
	}
	m := c.Mappings[0]
	kept := func(s provenance.Settings) string {
		return provenance.Texts(provenance.Fingerprint{Settings: s}, provenance.Memo{}).Fingerprint
	}
	byAlias := assembly.SettingsOf(c, m)
	m.Source.Bucket, m.Source.AccessPointARN = point.ARN(), ""
	byARN := assembly.SettingsOf(c, m)
	if diff := cmp.Diff(kept(byAlias), kept(byARN)); diff != "" || !byAlias.Same(byARN) {
		t.Errorf("settings that the ledger keeps (-alias +ARN):\n%s", diff)
	}
}
