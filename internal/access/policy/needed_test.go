package policy_test

import (
	"flag"
	"slices"
	"testing"

	"syncd/internal/access/accesstest"
)

// mutants selects how many of the broken documents to test: a sample, or all.
var mutants = flag.String("mutants", "some", "which broken documents to test: some, all")

// TestEverythingGrantedIsNeeded checks that the documents of each way of sharing allow every action
// of syncd, in accounts that allow nothing else. It then removes members of grants, one at a time,
// and checks that an action fails each time. The flag -mutants selects a sample of the members or
// all of them.
func TestEverythingGrantedIsNeeded(t *testing.T) {
	if testing.Short() {
		t.Skip("too slow under the race detector; make test runs it")
	}
	for _, w := range accesstest.Ways() {
		t.Run(w.Example, func(t *testing.T) { takeAway(t, accesstest.NewWorld(t, w, nil)) })
	}
	const more = "    copy: {acl: bucket-owner-full-control, object_lock: copy, annotations: copy}\n    delete: {enabled: true}\n    verify: {sample: 1}\n"
	for _, base := range []string{"share-org", "share-role"} {
		t.Run("with locks, annotations, deletes and inspections "+base, func(t *testing.T) {
			takeAway(t, accesstest.NewWorld(t, accesstest.Way{Example: base}, func(text string) string { return text + more }))
		})
	}
	t.Run("with chosen tags", func(t *testing.T) {
		const chosen = "    copy: {tags: {only: [team, tag0, tag1, tag2, tag3, tag4, tag5, tag6, tag7, tag8, tag9]}}\n"
		takeAway(t, accesstest.NewWorld(t, accesstest.Way{Example: "share-role"}, func(text string) string { return text + chosen }))
	})
}

func takeAway(t *testing.T, x *accesstest.World) {
	t.Helper()
	for _, m := range x.Config.Mappings {
		x.Source().SetEncryption(x.OwnerKey.ARN(), false)
		x.Fill(m)
	}
	if err := accesstest.FirstFailure(t.Context(), x.Steps(t)); err != nil {
		t.Fatalf("with all documents: got %v, want no failure", err)
	}
	taken := 0
	for i, d := range x.Documents {
		for _, l := range accesstest.Losses(d.Policy()) {
			if taken++; *mutants != "all" && taken%5 != 0 {
				continue
			}
			documents := slices.Clone(x.Documents)
			documents[i].Body = l.Policy
			x.Enforce(t, documents)
			if err := accesstest.FirstFailure(t.Context(), x.Steps(t)); err == nil {
				t.Errorf("%s without %s: nothing failed", d.Name, l.What)
			}
		}
	}
	if taken < 20 {
		t.Errorf("removed %d members of grants, want many more", taken)
	}
}
