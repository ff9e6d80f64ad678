//nolint:thelper // the funcs that run in bubbles are tests: failures must report their lines
package syncer_test

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"syncd/internal/syncer/deletion"
	"syncd/internal/syncer/planner"
	"syncd/internal/syncer/preview"
)

// TestDeletesArePlanned deletes, changes and adds objects at random, and compares each pass with the preview
// before it: equal numbers of copies, deletes and HEAD requests, and of list requests within 2 %.
func TestDeletesArePlanned(t *testing.T) {
	skipIfShort(t)
	for seed := range uint64(2) {
		t.Run(fmt.Sprint("seed ", seed), func(t *testing.T) {
			r := rand.New(rand.NewPCG(seed, 18))
			n := 4_000
			bubble(t, func(t *testing.T, w *world) {
				w.options.Delete = deletion.Settings{After: 2, MaxObjects: 1e6, MaxPercent: 100}
				w.fill(n)
				w.passes(t, "folder", "first", 0)
				deleted := int64(0)
				for range 4 {
					time.Sleep(time.Hour)
					for range n / 20 {
						key := name(r.IntN(n * 11 / 10))
						switch r.IntN(3) {
						case 0:
							w.put(key)
						default:
							w.source.Delete(key)
						}
					}
					time.Sleep(time.Minute)
					w.settle()
					planned, err := w.open(t).Preview(t.Context(), planner.InAnyOrder, func(preview.Fate) error { return nil })
					if err != nil {
						t.Fatal(err)
					}
					got := w.passes(t, "folder", "pass", 0)
					deleted += got.Deleted
					for _, operation := range []string{"CopyObject", "DeleteObjects", "DeleteObject", "HeadObject"} {
						if got.Requests[operation] != planned.Requests[operation] {
							t.Errorf("%s: got %d, planned %d", operation, got.Requests[operation], planned.Requests[operation])
						}
					}
					if got.Deleted != planned.Delete || got.Copied != planned.Copy.Objects {
						t.Errorf("got %d deleted and %d copied, planned %d and %d", got.Deleted, got.Copied, planned.Delete, planned.Copy.Objects)
					}
					if did, said := float64(got.Requests["ListObjectsV2"]), float64(planned.Requests["ListObjectsV2"]); did > said*1.02+1 || said > did*1.02+1 {
						t.Errorf("got %v list requests, planned %v, want them equal within 2 %%", did, said)
					}
				}
				if deleted == 0 {
					t.Error("got no deletes, want some")
				}
			})
		})
	}
}
