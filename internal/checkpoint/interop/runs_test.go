package interop_test

import (
	"path/filepath"
	"testing"
	"time"

	"syncd/internal/checkpoint"
	"syncd/internal/checkpoint/record"
	filestore "syncd/internal/checkpoint/store/file"
)

// TestArrowReadsLaterRuns checks the rows of the run that a second pass adds: a new version, and rows
// that state that a key was removed.
func TestArrowReadsLaterRuns(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	store, err := filestore.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	ledger, err := checkpoint.Open(t.Context(), store, checkpoint.Options{Mapping: mapping})
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := ledger.Close(); err != nil {
			t.Errorf("close: %v", err)
		}
	}()
	settleAll(t, ledger, func(slot *checkpoint.Slot, i int, _ record.Rows) { slot.Record(entry(i)) },
		func(slot *checkpoint.Slot, i int, _ record.Rows) { slot.Quarantine(quarantined(i), nil) })
	settleAll(t, ledger, func(slot *checkpoint.Slot, i int, had record.Rows) {
		switch e := entry(i); i {
		case 10:
			e.DestinationETag = "new"
			slot.Record(e)
		case 20:
			slot.Drop()
		default:
			slot.Carry(*had.Entry)
		}
	}, func(slot *checkpoint.Slot, i int, had record.Rows) {
		if i == 30 {
			slot.Drop()
			return
		}
		slot.Hold(*had.Quarantined, nil)
	})
	m := ledger.Manifest()
	if len(m.Runs) != 2 || len(m.QuarantineRuns) != 2 {
		t.Fatalf("got %d and %d runs, want two of each", len(m.Runs), len(m.QuarantineRuns))
	}
	read := func(run record.Run) table {
		return readTable(t, filepath.Join(dir, filepath.FromSlash(run.Chunks[0].Name)))
	}
	e := entry(10)
	start := time.Unix(0, 0).UTC()
	compare(t, table{
		"key": {e.Key, entry(20).Key}, "source_etag": {e.Source.ETag, ""}, "source_size": {e.Source.Size, int64(0)},
		"source_last_modified": {e.Source.LastModified, start}, "source_version_id": {e.Source.ID, ""}, "destination_etag": {"new", ""},
		"destination_version_id": {e.DestinationVersionID, ""}, "key_arn": {e.KeyARN, ""}, "bucket_key": {e.BucketKey, false},
		"checksum": {e.Checksum, ""}, "copied_at": {e.CopiedAt, start}, "pass": {int64(2), int64(2)}, "missed": {e.Missed, int64(0)}, "missed_in": {e.MissedIn, int64(0)}, "removed": {false, true},
	}, read(m.Runs[1]))
	compare(t, table{
		"key": {quarantined(30).Key}, "source_etag": {""}, "source_size": {int64(0)}, "source_last_modified": {start}, "source_version_id": {""},
		"reason": {""}, "detail": {""}, "first_at": {start}, "last_at": {start}, "attempts": {int64(0)}, "pass": {int64(2)},
		"destination_etag": {""}, "written_since": {start}, "removed": {true},
	}, read(m.QuarantineRuns[1]))
}

// settleAll commits a pass over a hundred entries and a hundred quarantined objects.
func settleAll(t *testing.T, ledger *checkpoint.Ledger, entries, aside func(*checkpoint.Slot, int, record.Rows)) {
	t.Helper()
	pass, err := ledger.Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	walk, finder := pass.Walk(""), pass.Finder(t.Context(), "")
	defer finder.Close()
	reserve := func(key string) (*checkpoint.Slot, record.Rows) {
		had, err := finder.Find(key)
		if err != nil {
			t.Fatal(err)
		}
		slot, err := walk.Reserve(t.Context(), key, had)
		if err != nil {
			t.Fatal(err)
		}
		return slot, had
	}
	for i := range 100 {
		slot, had := reserve(entry(i).Key)
		entries(slot, i, had)
	}
	for i := range 100 {
		slot, had := reserve(quarantined(i).Key)
		aside(slot, i, had)
	}
	walk.End("")
	if _, err := pass.Commit(t.Context()); err != nil {
		t.Fatal(err)
	}
}
