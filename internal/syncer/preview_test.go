package syncer_test

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"syncd/internal/awsfake"
	"syncd/internal/checkpoint/checkpointtest"
	"syncd/internal/copier"
	"syncd/internal/listing"
	"syncd/internal/listing/ranges"
	"syncd/internal/plan"
	"syncd/internal/syncer"
	"syncd/internal/syncer/planner"
	"syncd/internal/syncer/preview"
	"syncd/internal/transfer"
)

// preview plans the next pass with a new syncer, in key order. It checks that the plan in any order
// is the same.
func (w *world) preview(t *testing.T) (preview.Pass, []preview.Fate) {
	t.Helper()
	w.settle()
	s := w.open(t)
	planned, fates := mustPreview(t, s)
	visited := 0
	unordered, err := s.Preview(t.Context(), planner.InAnyOrder, func(preview.Fate) error {
		visited++
		return nil
	})
	if diff := cmp.Diff(planned, unordered, cmpopts.IgnoreUnexported(preview.Pass{}, plan.Quote{})); diff != "" || err != nil || visited != len(fates) {
		t.Fatalf("preview in any order: got %v, %d objects, want %d and the same plan (-in key order +in any order):\n%s", err, visited, len(fates), diff)
	}
	return planned, fates
}

func mustPreview(t *testing.T, s *syncer.Syncer) (planned preview.Pass, fates []preview.Fate) {
	t.Helper()
	planned, err := s.Preview(t.Context(), planner.InKeyOrder, func(f preview.Fate) error {
		fates = append(fates, f)
		return nil
	})
	if err != nil {
		t.Fatalf("preview: %v", err)
	}
	return planned, fates
}

// TestPreviewSideBySide compares previews of an empty ledger in key order and in any order: of 30
// pages, of which some objects exist at the destination already.
func TestPreviewSideBySide(t *testing.T) {
	checkpointtest.Bubble(t, func(t *testing.T) {
		w := newWorld(t)
		w.both()
		for i := range 30_000 {
			key := fmt.Sprintf("k%07d", i*37)
			w.source.Put(key, awsfake.BytesBody([]byte("x")), awsfake.PutOptions{})
			if i%12 == 0 {
				w.destination.Put(key, awsfake.BytesBody([]byte("x")), awsfake.PutOptions{})
			}
		}
		w.cloud.SetLatency(20 * time.Millisecond)
		var took [2]time.Duration
		var plans [2]preview.Pass
		s := w.open(t)
		for _, order := range []planner.Order{planner.InKeyOrder, planner.InAnyOrder} {
			var err error
			start := time.Now()
			if plans[order], err = s.Preview(t.Context(), order, func(preview.Fate) error { return nil }); err != nil {
				t.Fatal(err)
			}
			took[order] = time.Since(start)
		}
		if diff := cmp.Diff(plans[planner.InKeyOrder], plans[planner.InAnyOrder], cmpopts.IgnoreUnexported(preview.Pass{}, plan.Quote{})); diff != "" {
			t.Errorf("plan (-in key order +in any order):\n%s", diff)
		}
		if took[planner.InAnyOrder] > took[planner.InKeyOrder]*2/3 {
			t.Errorf("got %v in any order, %v in key order, want at most two thirds", took[planner.InAnyOrder], took[planner.InKeyOrder])
		}
	})
}

// TestPreviewOfAFailedListing checks that a preview in any order returns the first error, wherever it
// occurs, and does not report the plan as complete.
func TestPreviewOfAFailedListing(t *testing.T) {
	failure := errors.New("the page could not be read")
	for n := range 12 {
		w := newWorld(t)
		for i := range 10_000 {
			w.source.Put(fmt.Sprintf("k%05d", i), awsfake.BytesBody([]byte("x")), awsfake.PutOptions{})
		}
		s := w.open(t)
		w.pages.fail = func(request int) error {
			if request == n {
				return failure
			}
			return nil
		}
		planned, err := s.Preview(t.Context(), planner.InAnyOrder, func(preview.Fate) error { return nil })
		if isListed := planned.Listed == 10_000; isListed == (w.pages.requests.Load() > int64(n)) || errors.Is(err, failure) == isListed {
			t.Errorf("page %d failed: got %d objects, %v, want that error and fewer than all", n, planned.Listed, err)
		}
	}
}

// failingPages fails some requests for a page. Requests are counted from 0.
type failingPages struct {
	ranges.Pager
	requests atomic.Int64
	fail     func(request int) error
}

func (p *failingPages) Page(ctx context.Context, after string) ([]listing.Object, bool, error) {
	n := int(p.requests.Add(1)) - 1
	if p.fail != nil {
		if err := p.fail(n); err != nil {
			return nil, false, err
		}
	}
	return p.Pager.Page(ctx, after)
}

// both makes the world list both sides, so that it adopts objects that already exist at its
// destination.
func (w *world) both() {
	there := w.live
	there.Place.Bucket, there.Place.Account = "consumer-copy", consumer
	w.options.Destination = there
}

// TestPreviewIsTheNextPass changes the source at random, quarantines objects, lets time pass and
// changes settings. It checks that each pass does what the preview before it predicted.
func TestPreviewIsTheNextPass(t *testing.T) {
	checkpointtest.Bubble(t, func(t *testing.T) {
		for seed := range uint64(4) {
			random := rand.New(rand.NewPCG(seed, 1))
			w := newWorld(t)
			w.fill(12)
			w.both()
			for step := range 12 {
				note, mend := w.disturb(random)
				planned, _ := w.preview(t)
				got, err := w.pass(t)
				if err != nil {
					t.Fatalf("seed %d, step %d, %s: %v", seed, step, note, err)
				}
				mend()
				comparePass(t, fmt.Sprintf("seed %d, step %d, %s", seed, step, note), planned, got)
			}
		}
	})
}

// disturb makes one random change to the world. mend undoes a change that must last for one pass
// only.
func (w *world) disturb(random *rand.Rand) (what string, mend func()) {
	key := name(random.IntN(12))
	nothing := func() {}
	switch random.IntN(7) {
	case 0:
		w.source.Delete(key)
		return "deleted " + key, nothing
	case 1:
		w.put(key)
		return "denied " + key, w.cloud.Inject(awsfake.Fault{Operation: "CopyObject", Key: key, Kind: awsfake.AccessDenied})
	case 2:
		time.Sleep(time.Duration(random.IntN(600)) * time.Second)
		return "waited", nothing
	case 3:
		w.copies.StorageClass = []string{"", "STANDARD_IA"}[random.IntN(2)]
		return "class " + w.copies.StorageClass, nothing
	case 4:
		w.copies.DestinationPlace.Prefix = []string{"", "p/"}[random.IntN(2)]
		w.options.Settings.Destination.Prefix = w.copies.DestinationPlace.Prefix
		return "prefix " + w.copies.DestinationPlace.Prefix, nothing
	case 5:
		w.options.Rules.Filter.MaxSize = int64(random.IntN(2))
		return "filter", nothing
	default:
		w.source.Put(key, awsfake.BytesBody([]byte("changed")), awsfake.PutOptions{})
		return "changed " + key, nothing
	}
}

func comparePass(t *testing.T, what string, planned preview.Pass, got syncer.Summary) {
	t.Helper()
	type counts struct {
		Pass, Listed, Unchanged, Held, Kept, Tried int64
		Skipped                                    map[string]int64
	}
	held := int64(0)
	for _, n := range planned.Held {
		held += n
	}
	did := counts{
		got.Pass, got.Listed, got.Unchanged, got.Held, got.Kept, got.Copied + got.Adopted + got.SetAside() - got.Held, got.Skipped,
	}
	said := counts{planned.Pass, planned.Listed, planned.Unchanged, held, planned.Kept, planned.Work(), planned.Skipped}
	if diff := cmp.Diff(did, said); diff != "" {
		t.Errorf("%s (-pass +preview):\n%s", what, diff)
	}
	if planned.Adopt.Objects < got.Adopted {
		t.Errorf("%s: got %d candidates for adoption, want at least the %d adopted", what, planned.Adopt.Objects, got.Adopted)
	}
	// If no object failed or was adopted, the pass sends exactly the planned requests.
	if got.SetAside() == got.Held && planned.Adopt.Objects == 0 {
		if diff := cmp.Diff(got.Requests, planned.Requests); diff != "" {
			t.Errorf("%s: requests (-pass +preview):\n%s", what, diff)
		}
	}
}

// TestPreviewOfAnInterruptedPass checks that the preview plans only the remaining part of an
// interrupted pass, even while the lease is held or the pass is running.
func TestPreviewOfAnInterruptedPass(t *testing.T) {
	checkpointtest.Bubble(t, func(t *testing.T) {
		w := newWorld(t)
		w.fill(2000)
		w.settle()
		w.cloud.SetLatency(time.Second) // eight copies a second
		s := w.open(t)
		ctx, drain := context.WithCancel(t.Context())
		defer drain()
		ended := make(chan syncer.Summary)
		go func() {
			summary, _ := s.Run(ctx)
			ended <- summary
		}()
		time.Sleep(60*time.Second + time.Millisecond)
		under, _ := mustPreview(t, w.open(t))
		if n := under.Copy.Objects; !under.Resumed || n < 1500 || n > 1700 {
			t.Errorf("got %d objects left after a minute at eight a second, resumed %v, want about 1600", n, under.Resumed)
		}
		drain()
		first := <-ended
		before := files(t, w.dir)
		planned, _ := mustPreview(t, w.open(t))
		if diff := cmp.Diff(before, files(t, w.dir)); diff != "" {
			t.Errorf("state that a preview changed (-before +after):\n%s", diff)
		}
		if want := name(int(first.Copied) - 1); planned.ResumesAfter != want || planned.Copy.Objects != 2000-first.Copied {
			t.Errorf("got %d objects after %q, want %d after %q", planned.Copy.Objects, planned.ResumesAfter, 2000-first.Copied, want)
		}
		second := mustRun(t, s)
		if diff := cmp.Diff(second.Requests, planned.Requests); diff != "" || second.Listed != planned.Listed {
			t.Errorf("got %d listed, want %d as planned; requests (-pass +preview):\n%s", second.Listed, planned.Listed, diff)
		}
	})
}

// files returns the names and sizes of the files under dir.
func files(t *testing.T, dir string) map[string]int64 {
	t.Helper()
	found := map[string]int64{}
	err := filepath.Walk(dir, func(path string, info os.FileInfo, err error) error {
		if err == nil && !info.IsDir() {
			found[path] = info.Size()
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return found
}

// TestPreviewOfAnAdoption checks that a preview finds possible copies only by listing both sides,
// and that the pass sends the requests that the preview predicts.
func TestPreviewOfAnAdoption(t *testing.T) {
	checkpointtest.Bubble(t, func(t *testing.T) {
		w := newWorld(t)
		w.fill(6)
		w.both()
		w.settle()
		right := awsfake.PutOptions{KeyARN: w.key.ARN()}
		w.destination.Put(name(0), awsfake.BytesBody([]byte("x")), right)
		w.destination.Put(name(1), awsfake.BytesBody([]byte("longer")), right)
		w.destination.Put(name(4), awsfake.BytesBody([]byte("x")), right)
		w.cloud.ResetRequests()
		planned, fates := mustPreview(t, w.open(t))
		if diff := cmp.Diff(awsfake.Requests{"ListObjectsV2": 2}, w.cloud.Requests()); diff != "" {
			t.Errorf("requests of the preview (-want +got):\n%s", diff)
		}
		two := preview.Tally{Objects: 2, Bytes: 2}
		if planned.Adopt != two || planned.Doubtful != two || planned.Copy.Objects != 3 || planned.Refused["foreign"] != 1 || !fates[0].Looks {
			t.Errorf("got %+v, want 2 to adopt, 3 to copy, and the object of another size foreign", planned)
		}
		got, err := w.pass(t)
		if diff := cmp.Diff(got.Requests, planned.Requests); diff != "" || err != nil || got.Adopted != 2 {
			t.Errorf("got %+v, %v; requests (-pass +preview):\n%s", got, err, diff)
		}
	})
}

// TestPreviewWithoutADestinationToList checks the preview of a pass whose role can only write to
// the destination.
func TestPreviewWithoutADestinationToList(t *testing.T) {
	checkpointtest.Bubble(t, func(t *testing.T) {
		w := newWorld(t)
		w.fill(3)
		w.both()
		w.cloud.Inject(awsfake.Fault{Operation: "ListObjectsV2", Bucket: "consumer-copy", Kind: awsfake.AccessDenied})
		if planned, _ := w.preview(t); planned.Copy.Objects != 3 {
			t.Errorf("got %+v, want 3 to copy", planned)
		}
	})
}

// TestPreviewTellsWhatWillFail checks that a preview finds the objects for which no request is
// sent, and the objects that must be restored before they can be read.
func TestPreviewTellsWhatWillFail(t *testing.T) {
	checkpointtest.Bubble(t, func(t *testing.T) {
		w := newWorld(t)
		w.put("ok")
		w.source.Put("archived", awsfake.BytesBody([]byte("x")), awsfake.PutOptions{StorageClass: "DEEP_ARCHIVE"})
		w.put(strings.Repeat("k", 1020))
		w.copies.DestinationPlace.Prefix = "prefix/"
		planned, _ := w.preview(t)
		if diff := cmp.Diff(map[string]int64{"key_unrepresentable": 1}, planned.Refused); diff != "" || planned.Archived.Objects != 1 {
			t.Errorf("got %+v, want one archived object and one with an invalid key; refused (-want +got):\n%s", planned, diff)
		}
		got, err := w.pass(t)
		if err != nil || got.Quarantined["key_unrepresentable"] != 1 || got.Quarantined["archived"] != 1 || got.Copied != 1 {
			t.Errorf("got %+v, %v, want what was planned", got, err)
		}
	})
}

// TestPreviewOfADamagedLedger checks that, if the ledger is damaged, the preview starts with an
// empty ledger, as the pass does.
func TestPreviewOfADamagedLedger(t *testing.T) {
	checkpointtest.Bubble(t, func(t *testing.T) {
		w := newWorld(t)
		w.fill(3)
		if _, err := w.pass(t); err != nil {
			t.Fatal(err)
		}
		manifests, err := filepath.Glob(filepath.Join(w.dir, "m", "manifest-*"))
		if err != nil || len(manifests) != 1 {
			t.Fatalf("got %q, %v, want one manifest", manifests, err)
		}
		if err := os.WriteFile(manifests[0], []byte("{"), 0o600); err != nil {
			t.Fatal(err)
		}
		planned, _ := w.preview(t)
		if planned.Copy.Objects != 3 || planned.Damage == "" || planned.Generation != 0 {
			t.Errorf("got %+v, want everything copied again, and the damage reported", planned)
		}
	})
}

// TestPreviewEnds checks that a preview ends with the first error of a listing, of its caller or of
// its context.
func TestPreviewEnds(t *testing.T) {
	checkpointtest.Bubble(t, func(t *testing.T) {
		w := newWorld(t)
		w.fill(3)
		s := w.open(t)
		stop := errors.New("stop")
		if _, err := s.Preview(t.Context(), planner.InKeyOrder, func(preview.Fate) error { return stop }); !errors.Is(err, stop) {
			t.Errorf("got %v, want the caller's error", err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if _, err := s.Preview(ctx, planner.InKeyOrder, func(preview.Fate) error { return nil }); !errors.Is(err, syncer.ErrDrained) {
			t.Errorf("got %v, want %v", err, syncer.ErrDrained)
		}
		w.cloud.Inject(awsfake.Fault{Operation: "ListObjectsV2", Kind: awsfake.AccessDenied})
		if _, err := s.Preview(t.Context(), planner.InKeyOrder, func(preview.Fate) error { return nil }); err == nil {
			t.Error("got no error from a denied listing")
		}
	})
}

// endless lists n generated objects.
type endless int

func (n endless) List(context.Context, listing.Range) iter.Seq2[listing.Object, error] {
	return func(yield func(listing.Object, error) bool) {
		for i := range int(n) {
			if !yield(listing.Object{Key: fmt.Sprintf("k%09d", i), Version: transfer.Version{ETag: `"e"`, Size: 1}}, nil) {
				return
			}
		}
	}
}

// TestPreviewTakesNoMemory checks that memory use does not grow with the number of objects.
func TestPreviewTakesNoMemory(t *testing.T) {
	const many, most = 300_000, 8 << 20
	w := newWorld(t)
	o := w.options
	o.Source, o.Copier = endless(many), copier.New(w.copies)
	s := syncer.New(o)
	var before, during runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	n := 0
	planned, err := s.Preview(t.Context(), planner.InKeyOrder, func(preview.Fate) error {
		if n++; n == many {
			runtime.GC()
			runtime.ReadMemStats(&during)
		}
		return nil
	})
	if err != nil || planned.Copy.Objects != many || planned.Requests["ListObjectsV2"] != many/1000 {
		t.Fatalf("got %+v, %v, want %d objects on %d pages", planned, err, many, many/1000)
	}
	if during.HeapAlloc > before.HeapAlloc+most {
		t.Errorf("got %d bytes more at the end than before, want at most %d", during.HeapAlloc-before.HeapAlloc, most)
	}
}

// TestPreviewOfTheLedger checks that the estimated number of ledger writes differs from the number
// in the pass by at most a factor of 1.5.
func TestPreviewOfTheLedger(t *testing.T) {
	checkpointtest.Bubble(t, func(t *testing.T) {
		w := newWorld(t)
		w.fill(3000)
		w.settle()
		w.options.Ledger.FlushEntries = 100
		w.cloud.SetLatency(5 * time.Millisecond) // so that the order of copies does not depend on the load of the machine
		planned, _ := w.preview(t)
		if _, err := w.pass(t); err != nil {
			t.Fatal(err)
		}
		got := w.value(t, `syncd_ledger_store_writes_total{mapping="m"}`)
		if want := float64(planned.LedgerWrites); got < want/1.5 || got > want*1.5 {
			t.Errorf("got %v records written, want about the %v planned", got, want)
		}
	})
}
