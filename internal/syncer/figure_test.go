package syncer_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"syncd/internal/awsfake"
	"syncd/internal/checkpoint/checkpointtest"
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
