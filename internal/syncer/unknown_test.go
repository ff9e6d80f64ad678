package syncer_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"syncd/internal/awsfake"
	"syncd/internal/checkpoint/checkpointtest"
)

// figures returns the metrics of the mapping by name; metrics whose value is unknown are missing.
func (w *world) figures(t *testing.T) map[string]float64 {
	t.Helper()
	families, err := w.registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]float64{}
	for _, f := range families {
		name := strings.TrimPrefix(f.GetName(), "syncd_")
		for _, m := range f.GetMetric() {
			switch name {
			case "quarantine_objects":
				got["quarantine"] += m.GetGauge().GetValue()
			case "oldest_unsynced_seconds", "backlog_objects", "backlog_bytes", "ledger_generation", "ledger_entries",
				"last_success_timestamp_seconds", "last_complete_listing_timestamp_seconds":
				got[name] = m.GetGauge().GetValue()
			}
		}
	}
	return got
}

// TestUnknownIsNotZero checks that metrics are not 0 before a listing or the ledger proves that no
// objects are missing.
func TestUnknownIsNotZero(t *testing.T) {
	checkpointtest.Bubble(t, func(t *testing.T) {
		w := newWorld(t)
		w.fill(3)
		s := w.open(t)
		check := func(when string, want map[string]float64) {
			t.Helper()
			if diff := cmp.Diff(want, w.figures(t)); diff != "" {
				t.Errorf("%s (-want +got):\n%s", when, diff)
			}
		}
		check("before the first pass", map[string]float64{})
		noLedger := map[string]float64{"ledger_generation": 0, "ledger_entries": 0}
		s.Recall(t.Context())
		check("without a ledger", noLedger)
		mend := w.cloud.Inject(awsfake.Fault{Operation: "ListObjectsV2", Kind: awsfake.AccessDenied})
		for range 2 {
			if got, err := s.Run(t.Context()); err == nil {
				t.Fatalf("got %+v, want a pass whose listing is denied", got)
			}
			check("after a pass that listed nothing", noLedger)
		}
		mend()
		time.Sleep(time.Second)
		mustRun(t, s)
		now := float64(time.Now().UnixMilli()) / 1000
		whole := map[string]float64{
			"ledger_generation": 1, "ledger_entries": 3, "backlog_objects": 0, "backlog_bytes": 0, "oldest_unsynced_seconds": 0,
			"last_success_timestamp_seconds": now, "last_complete_listing_timestamp_seconds": now,
		}
		check("after the first pass", whole)
		w.restart()
		again := w.open(t)
		check("after a restart", map[string]float64{})
		again.Recall(t.Context())
		check("when the ledger was read", whole)
	})
}

// TestAReplayIsNoListing checks that a process that starts after a replay shows when the source was
// last listed, and what is in quarantine.
func TestAReplayIsNoListing(t *testing.T) {
	checkpointtest.Bubble(t, func(t *testing.T) {
		w, s, _ := quarantined(t)
		listed := w.figures(t)["last_complete_listing_timestamp_seconds"]
		for range 2 {
			time.Sleep(time.Hour)
			replay(t, s, all)
		}
		w.restart()
		w.open(t).Recall(t.Context())
		got := w.figures(t)
		if got["last_complete_listing_timestamp_seconds"] != listed || got["ledger_generation"] != 3 || got["quarantine"] != 3 || got["oldest_unsynced_seconds"] != 7200 {
			t.Errorf("got %v, want generation 3 with 3 in quarantine for two hours, and the listing at %v", got, listed)
		}
	})
}

// TestAQuarantineThatCannotBeReadIsNotEmpty checks that the metrics show the number of quarantined
// objects, from the manifest, if the quarantine rows cannot be read.
func TestAQuarantineThatCannotBeReadIsNotEmpty(t *testing.T) {
	checkpointtest.Bubble(t, func(t *testing.T) {
		w, _, _ := quarantined(t)
		names, err := w.options.Store.List(t.Context(), "m/")
		if err != nil {
			t.Fatal(err)
		}
		names = slices.DeleteFunc(names, func(name string) bool { return !strings.Contains(name, "quarantine") })
		if len(names) == 0 {
			t.Fatal("got no record of a quarantine")
		}
		for _, name := range names {
			if err := w.options.Store.Delete(t.Context(), name); err != nil {
				t.Fatal(err)
			}
		}
		w.restart()
		w.open(t).Recall(t.Context())
		if n := w.value(t, `syncd_quarantine_objects{mapping="m",reason="unknown"}`); n != 3 {
			t.Errorf("got %v objects in quarantine for an unknown reason, want 3", n)
		}
	})
}
