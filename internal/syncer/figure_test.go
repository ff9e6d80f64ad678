package syncer_test

import (
	"context"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"syncd/internal/awsfake"
	"syncd/internal/checkpoint/checkpointtest"
	"syncd/internal/copier"
	"syncd/internal/figure"
	"syncd/internal/listing"
	"syncd/internal/listing/ranges"
	"syncd/internal/syncer"
	"syncd/internal/syncer/planner"
)

// counted returns the sum of a counter over all its labels.
func (w *world) counted(t *testing.T, name string) (sum int64) {
	t.Helper()
	families, err := w.registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	for _, family := range families {
		if family.GetName() != name {
			continue
		}
		for _, m := range family.GetMetric() {
			sum += int64(m.GetCounter().GetValue())
		}
	}
	return sum
}

// TestSignsOfLife checks that every object, planned action and ledger write that the metrics count
// also counts as activity.
func TestSignsOfLife(t *testing.T) {
	checkpointtest.Bubble(t, func(t *testing.T) {
		w := newWorld(t)
		w.fill(3)
		mend := w.cloud.Inject(awsfake.Fault{Operation: "CopyObject", Kind: awsfake.AccessDenied, Times: 1})
		s := w.open(t)
		for range 2 {
			mustRun(t, s)
			objects, actions, writes := w.counted(t, "syncd_objects_total"), w.counted(t, "syncd_actions_total"), w.counted(t, "syncd_ledger_store_writes_total")
			if got, want := w.options.Figure.Beats(), objects+actions+writes; got != want || objects == 0 || actions == 0 || writes == 0 {
				t.Errorf("got %d signs of activity, want %d objects, %d actions and %d writes", got, objects, actions, writes)
			}
		}
		mend()
	})
}

// TestRangesOfAPass checks that the figure of a mapping shows the range that a pass is walking and
// for how long, and nothing between passes.
func TestRangesOfAPass(t *testing.T) {
	checkpointtest.Bubble(t, func(t *testing.T) {
		w := newWorld(t)
		w.fill(100)
		w.cloud.SetLatency(time.Second)
		s := w.open(t)
		shown := func() figure.Figure {
			f := w.options.Figure.Read()
			return figure.Figure{Ranges: f.Ranges, OldestRange: f.OldestRange}
		}
		if diff := cmp.Diff(figure.Figure{}, shown()); diff != "" {
			t.Errorf("before the pass (-want +got):\n%s", diff)
		}
		time.AfterFunc(2500*time.Millisecond, func() {
			if diff := cmp.Diff(figure.Figure{Ranges: 1, OldestRange: figure.Range{Seconds: 2.5}}, shown()); diff != "" {
				t.Errorf("during the pass (-want +got):\n%s", diff)
			}
		})
		if got := mustRun(t, s); got.Seconds < 2.5 || got.Ranges != 0 {
			t.Errorf("got %+v, want a pass of more than 2.5 s that did not divide the source", got)
		}
		if diff := cmp.Diff(figure.Figure{}, shown()); diff != "" {
			t.Errorf("after the pass (-want +got):\n%s", diff)
		}
	})
}

// smallPages returns pages of at most 10 objects.
type smallPages struct{ ranges.Pager }

func (p smallPages) Page(ctx context.Context, after string) ([]listing.Object, bool, error) {
	page, more, err := p.Pager.Page(ctx, after)
	if len(page) > 10 {
		page, more = page[:10], true
	}
	return page, more, err
}

// TestRangesOfADividedPass checks that the figure of a mapping shows the ranges that a pass walks
// side by side, and that the summary counts all ranges of the pass.
func TestRangesOfADividedPass(t *testing.T) {
	checkpointtest.Bubble(t, func(t *testing.T) {
		const objects = 600
		w := newWorld(t)
		w.fill(objects)
		w.cloud.SetLatency(100 * time.Millisecond)
		var mu sync.Mutex
		var most int64
		began := time.Now()
		w.cloud.Inject(awsfake.Fault{Operation: "CopyObject", Do: func() {
			f := w.options.Figure.Read()
			mu.Lock()
			defer mu.Unlock()
			most = max(most, f.Ranges)
			if f.OldestRange.Seconds > time.Since(began).Seconds() || f.Ranges == 0 && f.OldestRange != (figure.Range{}) {
				t.Errorf("after %s: got %d ranges, the oldest %+v", time.Since(began), f.Ranges, f.OldestRange)
			}
		}})
		o := w.options
		o.Source, o.Pages, o.Copier = w.live, smallPages{w.live}, copier.New(w.copies)
		s := syncer.New(o)
		got := mustRun(t, s)
		if got.Copied != objects || most < 2 || most > planner.Listers || int64(got.Ranges) < most {
			t.Errorf("got %+v with up to %d ranges at once, want all copied in several ranges", got, most)
		}
		if f := o.Figure.Read(); f.Ranges != 0 || f.OldestRange != (figure.Range{}) {
			t.Errorf("after the pass: got %d ranges, the oldest %+v, want none", f.Ranges, f.OldestRange)
		}
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
}

// TestQuarantineOfAFormerConfiguration checks the metrics after a change of the configuration: they
// do not show the quarantine until the ledger is read again, and all other values stay.
func TestQuarantineOfAFormerConfiguration(t *testing.T) {
	checkpointtest.Bubble(t, func(t *testing.T) {
		w, s, _ := quarantined(t)
		before := w.figures(t)
		if before["quarantine"] != 3 {
			t.Fatalf("got %v, want 3 in quarantine", before)
		}
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
		next := w.open(t)
		want := map[string]float64{}
		for name, value := range before {
			// The value oldest_unsynced_seconds includes the age of quarantined objects.
			if !strings.HasPrefix(name, "quarantine") && name != "oldest_unsynced_seconds" {
				want[name] = value
			}
		}
		if diff := cmp.Diff(want, w.figures(t)); diff != "" {
			t.Errorf("under the next configuration (-want +got):\n%s", diff)
		}
		next.Recall(t.Context())
		if diff := cmp.Diff(before, w.figures(t)); diff != "" {
			t.Errorf("when the ledger was read (-want +got):\n%s", diff)
		}
	})
}
