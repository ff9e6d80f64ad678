package policy_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"syncd/internal/access/accesstest"

	"pgregory.net/rapid"
)

// drawCopying draws the settings of a mapping that change which requests a copy sends.
func drawCopying(t *rapid.T, modes ...string) string {
	tags := rapid.SampledFrom([]string{"copy", "omit", "{only: [team, tag0, tag1, tag2, tag3, tag4, tag5, tag6, tag7, tag8, tag9]}"}).Draw(t, "tags")
	carry := rapid.SampledFrom([]string{"copy", "omit"})
	text := fmt.Sprintf("    copy: {mode: %s, tags: %s, metadata: %s, annotations: %s, object_lock: %s, acl: %s, part_size: %s, multipart_above: %s}\n",
		rapid.SampledFrom(modes).Draw(t, "mode"), tags, carry.Draw(t, "metadata"), carry.Draw(t, "annotations"), carry.Draw(t, "object lock"),
		rapid.SampledFrom([]string{"omit", "bucket-owner-full-control"}).Draw(t, "acl"),
		rapid.SampledFrom([]string{"auto", "5MiB", "7MiB"}).Draw(t, "part size"), rapid.SampledFrom([]string{"5MiB", "6MiB"}).Draw(t, "threshold"))
	text += rapid.SampledFrom([]string{"", "", "    filter: {max_size: 1MiB}\n", "    filter: {max_size: 7MiB}\n"}).Draw(t, "filter")
	return text + rapid.SampledFrom([]string{"", "    delete: {enabled: true}\n", "    verify: {sample: 1}\n"}).Draw(t, "delete")
}

// drawSides draws settings of the source and the destination of the first mapping: several ways to
// write the endpoint of the same service, and the storage class of copies. It never turns off the
// S3 Bucket Key of copies, because policies would then also allow earlier copies with a Bucket Key,
// for which this test has no step.
func drawSides(t *rapid.T, text string) string {
	endpoint := rapid.SampledFrom([]string{"", "https://s3.us-west-2.amazonaws.com", "https://s3.us-west-2.amazonaws.com/", "https://s3.us-west-2.amazonaws.com:443"})
	for _, bucket := range []string{"      bucket: owner-data\n", "      bucket: consumer-copy\n"} {
		with := bucket
		if url := endpoint.Draw(t, "endpoint"); url != "" {
			with += "      endpoint_url: " + url + "\n"
		}
		if strings.Contains(bucket, "consumer-copy") {
			with += "      storage_class: " + rapid.SampledFrom([]string{"STANDARD", "STANDARD_IA", "keep"}).Draw(t, "class") + "\n"
		}
		text = strings.Replace(text, bucket, with, 1)
	}
	return text
}

// TestRequestsQuoteAndPoliciesAgree draws configurations, and puts the policies that are generated
// for each of them in force in accounts that allow nothing else. It checks that the copier sends
// exactly the requests that the plan quotes for an object, that the policies allow every action of
// syncd, and that an action fails if a member of a grant is missing. Each run removes one drawn
// member.
func TestRequestsQuoteAndPoliciesAgree(t *testing.T) {
	if testing.Short() {
		t.Skip("too slow under the race detector; make test runs it")
	}
	drawn := 0
	rapid.Check(t, func(r *rapid.T) {
		if drawn++; *mutants != "all" && drawn > 12 {
			return
		}
		base := rapid.SampledFrom([]string{"share-owner-role", "share-role", "share-org"}).Draw(r, "way of sharing")
		modes := []string{"auto", "relay"}
		if base != "share-owner-role" { // in share-owner-role, the source and the destination have different roles
			modes = append(modes, "server_side")
		}
		copying := drawCopying(r, modes...)
		x := accesstest.NewWorld(t, accesstest.Way{Example: base}, func(text string) string { return drawSides(r, text) + copying })
		for _, m := range x.Config.Mappings {
			x.Source().SetEncryption(x.OwnerKey.ARN(), false)
			x.Fill(m)
		}
		for _, m := range x.Config.Mappings {
			for _, difference := range x.Quoted(t, m) {
				t.Errorf("%s with\n%s%s of %s", base, copying, difference, m.Name)
			}
		}
		if err := accesstest.FirstFailure(t.Context(), x.Steps(t)); err != nil {
			t.Errorf("%s with\n%sgot %v, want no failure with all documents in force", base, copying, err)
			return
		}
		var all []accesstest.Loss
		var of []int
		for i, d := range x.Documents {
			for _, l := range accesstest.Losses(d.Policy()) {
				all, of = append(all, l), append(of, i)
			}
		}
		for _, n := range rapid.SliceOfNDistinct(rapid.IntRange(0, len(all)-1), 4, 4, rapid.ID[int]).Draw(r, "losses") {
			documents := slices.Clone(x.Documents)
			documents[of[n]].Body = all[n].Policy
			x.Enforce(t, documents)
			if err := accesstest.FirstFailure(t.Context(), x.Steps(t)); err == nil {
				t.Errorf("%s with\n%s%s without %s: nothing failed", base, copying, x.Documents[of[n]].Name, all[n].What)
			}
		}
	})
}
