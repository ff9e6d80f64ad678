package syncer_test

import (
	"net/http"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/s3"

	"syncd/internal/checkpoint/checkpointtest"
	"syncd/internal/checkpoint/record"
)

// claimChecker checks that the saved progress has a claim on the key of each copy request.
type claimChecker struct {
	t    *testing.T
	w    *world
	next http.RoundTripper
}

func (c claimChecker) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.Header.Get("X-Amz-Copy-Source") != "" {
		key := strings.TrimPrefix(r.URL.Path, "/consumer-copy/")
		progress, ok, err := record.Unfinished(r.Context(), c.w.options.Store, "m")
		if err != nil || !ok || !slices.ContainsFunc(progress.Claims, func(claim record.Claim) bool { return claim.Covers(key) }) {
			c.t.Errorf("%s is copied and not claimed: %v, claims %+v", key, err, progress.Claims)
		}
	}
	return c.next.RoundTrip(r)
}

// TestEachKeyOfARangeIsClaimed walks 16 ranges with short, slow pages, so that their claims are
// extended at the same time, and a store whose writes are slow. It checks that each key is claimed
// in the ledger before it is copied, also if keys are copied out of turn because others are refused.
func TestEachKeyOfARangeIsClaimed(t *testing.T) {
	for _, denied := range []string{"", "k001*"} {
		t.Run("denied "+denied, func(t *testing.T) {
			checkpointtest.Bubble(t, func(t *testing.T) {
				const objects, perRange = 320, 20
				w := newWorld(t)
				w.divide(perRange, 3)
				w.fill(objects)
				mustRunAndClose(t, w)
				time.Sleep(time.Hour)
				w.rewrite(objects, 1, func(int) bool { return true })
				if denied != "" {
					w.deny(w.source, denied, "s3:GetObject")
				}
				w.options.Ledger.FlushInterval = time.Second
				var saves atomic.Int64
				raw := w.options.Store
				checker := claimChecker{t, w, w.cloud.RoundTripper()}
				client := s3.New(w.client.Options(), func(o *s3.Options) { o.HTTPClient = &http.Client{Transport: checker} })
				w.copies.Source, w.copies.Destination = client, client
				w.cloud.SetLatency(100 * time.Millisecond)
				slow := slowStore{raw, 130 * time.Millisecond, &saves}
				w.options.Store = slow
				got := mustRun(t, w.open(t))
				if got.Copied+got.SetAside() != objects || saves.Load() < 5 {
					t.Errorf("got %+v with %d saves, want everything settled in many saves", got, saves.Load())
				}
			})
		})
	}
}
