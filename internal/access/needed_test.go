package access_test

import (
	"slices"
	"testing"
)

// TestEverythingGrantedIsNeeded puts the documents of each way of sharing in force in accounts where nothing else is
// allowed: everything that syncd does works. Then members of grants are taken away in turn, a share of them or all, and something
// fails.
func TestEverythingGrantedIsNeeded(t *testing.T) {
	if testing.Short() {
		t.Skip("its numbers cost too much under the race detector; make test runs it")
	}
	for _, w := range ways() {
		t.Run(w.example, func(t *testing.T) { takeAway(t, newWorld(t, w, nil)) })
	}
	const more = "    copy: {acl: bucket-owner-full-control, object_lock: copy, annotations: copy}\n    delete: {enabled: true}\n"
	for _, base := range []string{"share-org", "share-role"} {
		t.Run("with locks, annotations and deletes "+base, func(t *testing.T) {
			takeAway(t, newWorld(t, way{example: base}, func(text string) string { return text + more }))
		})
	}
	t.Run("with chosen tags", func(t *testing.T) {
		const chosen = "    copy: {tags: {only: [team, tag0, tag1, tag2, tag3, tag4, tag5, tag6, tag7, tag8, tag9]}}\n"
		takeAway(t, newWorld(t, way{example: "share-role"}, func(text string) string { return text + chosen }))
	})
}

func takeAway(t *testing.T, x *world) {
	t.Helper()
	for _, m := range x.config.Mappings {
		x.source().SetEncryption(x.ownerKey.ARN(), false)
		x.fill(m)
	}
	if err := firstFailure(t.Context(), x.steps(t)); err != nil {
		t.Fatalf("with all documents: got %v, want no failure", err)
	}
	taken := 0
	for i, d := range x.documents {
		for _, l := range losses(d.Policy()) {
			if taken++; *mutants != "all" && taken%5 != 0 {
				continue
			}
			documents := slices.Clone(x.documents)
			documents[i].Body = l.policy
			x.enforce(t, documents)
			if err := firstFailure(t.Context(), x.steps(t)); err == nil {
				t.Errorf("%s without %s: nothing failed", d.Name, l.what)
			}
		}
	}
	if taken < 20 {
		t.Errorf("took away %d members of grants, want the many that there are", taken)
	}
}
