package access_test

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"syncd/config"
	"syncd/internal/awsfake"
	"syncd/internal/copier"
	"syncd/internal/plan"
)

// drawCopying draws how the objects of a mapping move: everything that changes what is sent for them.
func drawCopying(t *rapid.T) string {
	tags := rapid.SampledFrom([]string{"copy", "omit", "{only: [team, tag0, tag1, tag2, tag3, tag4, tag5, tag6, tag7, tag8, tag9]}"}).Draw(t, "tags")
	carry := rapid.SampledFrom([]string{"copy", "omit"})
	text := fmt.Sprintf("    copy: {mode: %s, tags: %s, metadata: %s, annotations: %s, object_lock: %s, acl: %s, part_size: %s, multipart_above: %s}\n",
		rapid.SampledFrom([]string{"auto", "relay"}).Draw(t, "mode"), tags, carry.Draw(t, "metadata"), carry.Draw(t, "annotations"), carry.Draw(t, "object lock"),
		rapid.SampledFrom([]string{"omit", "bucket-owner-full-control"}).Draw(t, "acl"),
		rapid.SampledFrom([]string{"auto", "5MiB", "7MiB"}).Draw(t, "part size"), rapid.SampledFrom([]string{"5MiB", "6MiB"}).Draw(t, "threshold"))
	text += rapid.SampledFrom([]string{"", "", "    filter: {max_size: 1MiB}\n", "    filter: {max_size: 7MiB}\n"}).Draw(t, "filter")
	return text + rapid.SampledFrom([]string{"", "    delete: {enabled: true}\n"}).Draw(t, "delete")
}

// TestRequestsQuoteAndPoliciesAgree draws configurations, and puts the policies that are generated for each in force where nothing else
// is allowed. What the copier sends for an object is what the plan quotes for it, to the last request; all that syncd does is
// permitted; and without a member of a grant, whichever is drawn, something fails.
func TestRequestsQuoteAndPoliciesAgree(t *testing.T) {
	if testing.Short() {
		t.Skip("its numbers cost too much under the race detector; make test runs it")
	}
	drawn := 0
	rapid.Check(t, func(r *rapid.T) {
		if drawn++; *mutants != "all" && drawn > 12 {
			return
		}
		base := rapid.SampledFrom([]string{"share-owner-role", "share-role", "share-org"}).Draw(r, "way of sharing")
		copying := drawCopying(r)
		x := newWorld(t, way{example: base}, func(text string) string { return text + copying })
		for _, m := range x.config.Mappings {
			x.source().SetEncryption(x.ownerKey.ARN(), false)
			x.fill(m)
		}
		for _, m := range x.config.Mappings {
			for _, difference := range x.quoted(t, m) {
				t.Errorf("%s with\n%s%s of %s", base, copying, difference, m.Name)
			}
		}
		if err := firstFailure(t.Context(), x.steps(t)); err != nil {
			t.Errorf("%s with\n%sgot %v, want no failure with all documents in force", base, copying, err)
			return
		}
		var all []loss
		var of []int
		for i, d := range x.documents {
			for _, l := range losses(d.Policy()) {
				all, of = append(all, l), append(of, i)
			}
		}
		for _, n := range rapid.SliceOfNDistinct(rapid.IntRange(0, len(all)-1), 4, 4, rapid.ID[int]).Draw(r, "losses") {
			documents := slices.Clone(x.documents)
			documents[of[n]].Body = all[n].policy
			x.enforce(t, documents)
			if err := firstFailure(t.Context(), x.steps(t)); err == nil {
				t.Errorf("%s with\n%s%s without %s: nothing failed", base, copying, x.documents[of[n]].Name, all[n].what)
			}
		}
	})
}

// quoted copies objects of a mapping of the sizes around which it goes another way, and returns where what was sent is not what was
// quoted.
func (x *world) quoted(t *testing.T, m config.Mapping) (differences []string) {
	t.Helper()
	j := x.job(t, m, x.sessions(t, ""))
	how := j.how
	how.RelayMemory = relayed
	quoter := plan.NewQuoter(plan.Terms{Settings: how})
	for _, size := range []int64{0, 10, 5 << 20, 6<<20 + 1, 8 << 20, 16<<20 + 1} {
		if most := int64(m.Filter.MaxSize); most > 0 && size > most {
			continue
		}
		object := listed(x.source().Put(fmt.Sprintf("%squoted-%d", m.Source.Prefix, size), awsfake.SyntheticBody(size, 1), awsfake.PutOptions{}))
		x.cloud.ResetRequests()
		if _, _, err := j.copier.Copy(t.Context(), object, copier.Target{}, nil); err != nil {
			differences = append(differences, fmt.Sprintf("%d bytes: got %v, want a copy", size, err))
			continue
		}
		sent := maps.Clone(map[string]int64(x.cloud.Requests()))
		maps.DeleteFunc(sent, func(operation string, _ int64) bool { return strings.HasPrefix(operation, "Assume") })
		var quote plan.Quote
		quoter.AddCopy(&quote, object)
		if diff := cmp.Diff(quote.Requests, sent); diff != "" {
			differences = append(differences, fmt.Sprintf("%d bytes (-quoted +sent):\n%s", size, diff))
		}
	}
	return differences
}
