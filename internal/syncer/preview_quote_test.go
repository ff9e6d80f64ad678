package syncer_test

import (
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"

	"syncd/internal/awsfake"
	"syncd/internal/copier"
	"syncd/internal/copier/content"
	"syncd/internal/iam"
	"syncd/internal/listing"
	"syncd/internal/plan"
	"syncd/internal/transfer"
)

// TestQuoteIsWhatACopySends checks that the quote of a single copy equals the requests that the
// copier sends, for sizes around every limit at which its behavior changes. It also compares the
// KMS requests for the source's key and for the destination's key, without Bucket Keys.
func TestQuoteIsWhatACopySends(t *testing.T) {
	const mib, gib = 1 << 20, 1 << 30
	tests := []struct {
		name  string
		terms plan.Terms
		sizes []int64
	}{
		{"server-side", plan.Terms{}, []int64{0, 1, 5 * gib, 5*gib + 1, 10 * gib, 2560*gib + 1}},
		{"parts of a chosen size", plan.Terms{Settings: transfer.Settings{MultipartAbove: 1, PartSize: 5 * mib}}, []int64{5 * mib, 5*mib + 1, 10 * mib, 50_000*mib + 1}},
		{"only content", plan.Terms{Settings: transfer.Settings{MultipartAbove: 6 * mib, OmitMetadata: true, OmitTags: true}}, []int64{1, 7 * mib}},
		{"chosen tags", plan.Terms{Settings: transfer.Settings{MultipartAbove: 6 * mib, OnlyTags: []string{"class"}}}, []int64{1, 7 * mib}},
		{"relayed chosen tags", plan.Terms{Settings: transfer.Settings{Relay: true, RelayMemory: 16 * mib, OnlyTags: []string{"class"}}}, []int64{1, 9 * mib}},
		{"annotations", plan.Terms{Settings: transfer.Settings{MultipartAbove: 6 * mib, Annotations: true}}, []int64{1, 7 * mib}},
		{"relayed annotations", plan.Terms{Settings: transfer.Settings{Relay: true, RelayMemory: 16 * mib, Annotations: true}}, []int64{1, 9 * mib}},
		{"object lock", plan.Terms{Settings: transfer.Settings{MultipartAbove: 6 * mib, ObjectLock: true, OmitMetadata: true}}, []int64{1, 7 * mib}},
		{"relayed locks", plan.Terms{Settings: transfer.Settings{Relay: true, RelayMemory: 16 * mib, ObjectLock: true}}, []int64{1, 9 * mib}},
		{"relay", plan.Terms{Settings: transfer.Settings{Relay: true, RelayMemory: 16 * mib}}, []int64{0, 8 * mib, 8*mib + 1, 16 * mib, 65 * mib}},
		{"relay in larger parts", plan.Terms{Settings: transfer.Settings{Relay: true, RelayMemory: 16 * mib, PartSize: 64 * mib, OmitTags: true}}, []int64{1, 33 * mib}},
	}
	for _, tt := range tests {
		for _, size := range tt.sizes {
			t.Run(fmt.Sprintf("%s, %d bytes", tt.name, size), func(t *testing.T) {
				if size > 30*gib && *lied != "all" {
					t.Skip("10,000 parts cost seconds; make adversary runs it")
				}
				w := newWorld(t)
				w.obey(tt.terms)
				key := w.cloud.Account(owner).CreateKey(region, iam.MustParse(fmt.Sprintf(
					`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":[%q,%q]},"Action":"kms:*","Resource":"*"}]}`, owner, consumer)))
				object := w.source.Put("k", awsfake.SyntheticBody(size, 1), awsfake.PutOptions{KeyARN: key.ARN()})
				listed := listing.Object{Key: "k", Version: transfer.Version{ETag: `"` + object.ETag + `"`, Size: size, LastModified: object.LastModified}}
				w.cloud.ResetRequests()
				if _, _, err := copier.New(w.copies).Copy(t.Context(), listed, copier.Target{}, nil); err != nil {
					t.Fatal(err)
				}
				var quote plan.Quote
				plan.NewQuoter(tt.terms).AddCopy(&quote, listed)
				if diff := cmp.Diff(map[string]int64(w.cloud.Requests()), quote.Requests); diff != "" {
					t.Errorf("requests (-copier +quote):\n%s", diff)
				}
				asked := map[string]float64{}
				for _, arn := range []string{key.ARN(), w.key.ARN()} {
					for operation, n := range w.cloud.KeyRequests(arn) {
						asked[operation] += float64(n)
					}
				}
				if diff := cmp.Diff(asked, quote.KMSRequests); diff != "" {
					t.Errorf("requests to KMS (-accounts +quote):\n%s", diff)
				}
			})
		}
	}
}

// obey sets the copier's options to match the terms.
func (w *world) obey(terms plan.Terms) {
	w.copies.Settings = terms.Settings
	if terms.Relay {
		w.copies.Buffers = content.NewBuffers(terms.RelayMemory)
	}
}
