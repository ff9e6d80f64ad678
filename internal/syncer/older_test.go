package syncer_test

import (
	"strings"
	"testing"

	"syncd/internal/checkpoint"
	"syncd/internal/checkpoint/checkpointtest"
	"syncd/internal/checkpoint/record"
)

// TestSettingsOfAnOlderLedger uses a generation in an older format: its settings contain the
// service URL as it was configured, and the memo is in the fingerprint. The test checks that this
// causes no new copies, and that entries of copies from an earlier place still do not count.
func TestSettingsOfAnOlderLedger(t *testing.T) {
	checkpointtest.Bubble(t, func(t *testing.T) {
		w := newWorld(t)
		w.both()
		w.fill(3)
		w.settle()
		w.options.Settings.Source = w.options.Settings.Source.At("https://s3.example")
		w.options.Settings.Destination = w.options.Settings.Destination.At("https://s3.example")
		s := w.open(t)
		mustRun(t, s)
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
		entries := w.entries(t)

		ledger, err := checkpoint.Open(t.Context(), w.store(t), w.options.Ledger)
		if err != nil {
			t.Fatal(err)
		}
		ledger.SetSettings(func(last record.Settings, _ int64) record.Settings {
			older := strings.ReplaceAll(last.Fingerprint, `"s3.example"`, `"https://S3.example:443/"`)
			return record.Settings{Fingerprint: strings.TrimSuffix(older, "}") + `,"place_since":2}`}
		})
		pass, err := ledger.Begin(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		walk := pass.Walk("")
		for i := range 3 {
			entry := entries[name(i)]
			slot, err := walk.Reserve(t.Context(), name(i), record.Rows{Entry: &entry})
			if err != nil {
				t.Fatal(err)
			}
			if i == 0 {
				slot.Carry(entry) // from pass 1, which copied from another place
			} else {
				slot.Record(entry)
			}
		}
		walk.End("")
		if _, err := pass.Commit(t.Context()); err != nil {
			t.Fatal(err)
		}
		if err := ledger.Close(); err != nil {
			t.Fatal(err)
		}

		s = w.open(t)
		if got := mustRun(t, s); got.Unchanged != 2 || got.Copied+got.Adopted != 1 || got.Exit != 0 {
			t.Errorf("got %+v, want two unchanged, and one that is not known", got)
		}
	})
}
