package main

import (
	"encoding/csv"
	"encoding/json"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"syncd/internal/awsfake"
	"syncd/internal/iam"
	"syncd/internal/plan"
	"syncd/internal/report"
)

// TestVerifyCommand deletes a copy, overwrites another and puts a foreign object. It checks the output of
// verify in each format, its exit codes, and what --repair and --take-over mend.
func TestVerifyCommand(t *testing.T) {
	s := newSite(t, nil)
	s.put("data/a", "data/b", "data/cü", "data/d")
	s.expect(t, 0, "", "", "backfill")
	s.expect(t, 0, "compared 4 objects with generation 1", "", "verify")
	s.expect(t, 0, "no difference", "", "verify")

	s.Destination.Delete("data/a")
	for _, key := range []string{"data/cü", "stray"} {
		s.Destination.Put(key, awsfake.BytesBody([]byte("y")), awsfake.PutOptions{LastModified: time.Now().Add(-time.Minute)})
	}
	want := map[string]plan.DifferenceKind{"data/a": plan.DiffersMissing, "data/cü": plan.DiffersOverwritten, "stray": plan.DiffersForeign}
	if diff := cmp.Diff(want, s.differences(t, 4)); diff != "" {
		t.Errorf("differences (-want +got):\n%s", diff)
	}
	rows, err := csv.NewReader(strings.NewReader(s.expect(t, 4, "", "", "verify", "--csv").stdout)).ReadAll()
	if err != nil || len(rows) != 4 || rows[0][1] != "kind" || !slices.ContainsFunc(rows, func(r []string) bool { return r[2] == `"data/cü"` && r[1] == "overwritten" }) {
		t.Errorf("got CSV %q, %v, want the header and three rows", rows, err)
	}
	s.expect(t, 4, "", "2 differences could not be mended", "verify", "--repair")
	if got := s.Destination.Keys(); !slices.Contains(got, "data/a") {
		t.Errorf("got the copies %q, want data/a among them", got)
	}
	s.expect(t, 4, "", "1 difference could not be mended", "verify", "--repair", "--take-over")
	if diff := cmp.Diff(map[string]plan.DifferenceKind{"stray": plan.DiffersForeign}, s.differences(t, 4)); diff != "" {
		t.Errorf("differences after the repair (-want +got):\n%s", diff)
	}
	s.Destination.Delete("stray")
	s.expect(t, 4, "unchecked", "4 differences", "verify", "--deep") // the role may not read the tags of copies
	s.Role.SetPolicies(iam.MustParse(fidelityRole))
	s.expect(t, 0, "", "", "verify", "--sample", "100%")
}

// differences returns the lines of verify --json, by key.
func (s *site) differences(t *testing.T, code int) map[string]plan.DifferenceKind {
	t.Helper()
	lines := strings.Split(strings.TrimSpace(s.expect(t, code, "", "", "verify", "--json").stdout), "\n")
	found := map[string]plan.DifferenceKind{}
	for _, line := range lines[:len(lines)-1] {
		var d report.Difference
		if err := json.Unmarshal([]byte(line), &d); err != nil {
			t.Fatal(err)
		}
		key := d.Key
		if d.KeyBytes != nil {
			key = string(d.KeyBytes)
		}
		found[key] = d.Kind
	}
	var all report.Verified
	if err := json.Unmarshal([]byte(lines[len(lines)-1]), &all); err != nil || all.Total() != int64(len(found)) {
		t.Errorf("got the result %q, %v, want %d differences", lines[len(lines)-1], err, len(found))
	}
	return found
}

// TestVerifyFlags checks that flags which contradict each other are usage errors.
func TestVerifyFlags(t *testing.T) {
	s := newSite(t, nil)
	for _, args := range [][]string{
		{"--json", "--csv"}, {"--deep", "--sample", "1%"}, {"--take-over"}, {"--sample", "1"}, {"--sample", "0%"}, {"--sample", "101%"}, {"--sample", "NaN%"},
	} {
		if got := s.run(t.Context(), append([]string{"verify"}, args...)...); got.code != 2 || !strings.Contains(got.stderr, "verify: --") {
			t.Errorf("%q: got exit %d, %q, want a usage error", args, got.code, got.stderr)
		}
	}
}

// TestFailedVerification checks that a verification or repair that fails does not say that there is no difference.
func TestFailedVerification(t *testing.T) {
	skipIfShort(t)
	s := newSite(t, nil)
	s.put("data/a", "data/b")
	s.expect(t, 0, "", "", "backfill")
	allow := s.Cloud.Inject(awsfake.Fault{Operation: "ListObjectsV2", Kind: awsfake.AccessDenied})
	if got := s.expect(t, 1, "incomplete", "AccessDenied", "verify"); strings.Contains(got.stdout, "no difference") {
		t.Errorf("got %q, want nothing about differences", got.stdout)
	}
	allow()
	_, stop := s.runDaemon(t)
	defer stop()
	eventually(t, "the daemon holds the lease", func() bool { return s.run(t.Context(), "verify", "--repair").code == 5 })
	if got := s.expect(t, 5, "incomplete", "lease", "verify", "--repair"); strings.Contains(got.stdout, "no difference") {
		t.Errorf("got %q, want nothing about differences", got.stdout)
	}
}
