package duckdb_test

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"syncd/internal/checkpoint"
	"syncd/internal/checkpoint/record"
	filestore "syncd/internal/checkpoint/store/file"
	"syncd/internal/transfer"
)

const (
	mapping = "alice-to-bob"
	objects = 3000
	poisons = 200
)

var epoch = time.Date(2026, 3, 1, 12, 0, 0, 123456000, time.UTC)

// oddKeys are keys that are valid UTF-8 but hard to quote, to sort or to display.
func oddKeys() []string {
	return []string{
		"odd/a'b", `odd/a"b`, `odd/a\b`, "odd/tab\t", "odd/line\nbreak", "odd/nul\x00x", "odd/\x01", "odd/é 日本", "odd/e\u0301",
		"odd/😀", "odd/\u00ff", "odd/\uffff", "odd/%_*?[", "odd/2026-03-01", "odd/" + strings.Repeat("long", 255), " ", "~",
	}
}

// keys returns the keys of the ledger in ascending order: entries, keys that are hard to display,
// and objects that are quarantined first.
func keys() []string {
	all := oddKeys()
	for i := range objects {
		all = append(all, fmt.Sprintf("exports/%05d", i))
	}
	for i := range poisons {
		all = append(all, fmt.Sprintf("poison/%05d", i))
	}
	return slices.Sorted(slices.Values(all))
}

// settling settles the slot of a key, with the rows that the ledger has for the key.
type settling func(slot *checkpoint.Slot, key string, had record.Rows)

// ledger is a ledger in a folder. Each pass copies with its own number as part of the values, so
// that a row of another pass is not taken for the right one.
type ledger struct {
	dir    string
	store  *filestore.Store
	ledger *checkpoint.Ledger
}

func newLedger(t *testing.T) *ledger {
	t.Helper()
	dir := t.TempDir()
	store, err := filestore.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	opened, err := checkpoint.Open(t.Context(), store, checkpoint.Options{Mapping: mapping, ChunkEntries: 256})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := opened.Close(); err != nil {
			t.Errorf("close: %v", err)
		}
	})
	return &ledger{dir, store, opened}
}

// walk walks the keys that have a row or a change, up to a key, in the next pass. It settles a key
// that is not in changes as the ledger has it. It leaves out the keys that an interrupted pass has
// settled.
func (l *ledger) walk(t *testing.T, changes map[string]settling, until string) (*checkpoint.Pass, *checkpoint.Walk) {
	t.Helper()
	pass, err := l.ledger.Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	after := pass.Open()[0].After
	finder, walk := pass.Finder(t.Context(), after), pass.Walk(after)
	defer finder.Close()
	for _, key := range l.known(t, changes) {
		if key <= after || key > until {
			continue
		}
		had, err := finder.Find(key)
		if err != nil {
			t.Fatal(err)
		}
		slot, err := walk.Reserve(t.Context(), key, had)
		if err != nil {
			t.Fatal(err)
		}
		settle := changes[key]
		if settle == nil {
			settle = keep
		}
		settle(slot, key, had)
	}
	return pass, walk
}

// known returns the keys that have a row or a change, in ascending order.
func (l *ledger) known(t *testing.T, changes map[string]settling) []string {
	t.Helper()
	known := slices.Collect(maps.Keys(changes))
	for _, e := range l.entries(t) {
		known = append(known, e.Key)
	}
	for _, q := range l.quarantined(t) {
		known = append(known, q.Key)
	}
	slices.Sort(known)
	return slices.Compact(known)
}

// commit commits the next pass.
func (l *ledger) commit(t *testing.T, changes map[string]settling) {
	t.Helper()
	pass, walk := l.walk(t, changes, "\U0010ffff")
	walk.End("")
	if _, err := pass.Commit(t.Context()); err != nil {
		t.Fatal(err)
	}
}

func (l *ledger) entries(t *testing.T) (all []record.Entry) {
	t.Helper()
	if l.ledger.Generation() == 0 {
		return nil
	}
	for e, err := range checkpoint.Entries(t.Context(), l.store, mapping) {
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, e)
	}
	return all
}

func (l *ledger) quarantined(t *testing.T) (all []record.Quarantined) {
	t.Helper()
	if l.ledger.Generation() == 0 {
		return nil
	}
	for q, err := range checkpoint.Quarantine(t.Context(), l.store, mapping) {
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, q)
	}
	return all
}

// keep settles a key as the ledger has it.
func keep(slot *checkpoint.Slot, _ string, had record.Rows) {
	switch {
	case had.Quarantined != nil:
		slot.Hold(*had.Quarantined, had.Entry)
	case had.Entry != nil:
		slot.Carry(*had.Entry)
	default:
		slot.Drop()
	}
}

// drop removes the rows of a key.
func drop(slot *checkpoint.Slot, _ string, _ record.Rows) { slot.Drop() }

// copied records a copy. The number i distinguishes copies.
func copied(i int) settling {
	return func(slot *checkpoint.Slot, key string, _ record.Rows) {
		slot.Record(record.Entry{
			Key: key, Source: transfer.Version{ETag: fmt.Sprintf("%032x", i), Size: int64(i) << 20, LastModified: epoch.Add(-time.Duration(i) * time.Second), ID: fmt.Sprint(i % 3)},
			DestinationETag: fmt.Sprintf("%032x-%d", i, i%7), DestinationVersionID: fmt.Sprint("v", i),
			KeyARN:    fmt.Sprintf("arn:aws:kms:us-west-2:222222222222:key/%d", i%3),
			BucketKey: i%2 == 0, Checksum: fmt.Sprint("crc64nvme:", i), CopiedAt: epoch.Add(time.Duration(i) * time.Microsecond),
		})
	}
}

// setAside quarantines an object that has no entry.
func setAside(i int) settling {
	return func(slot *checkpoint.Slot, key string, _ record.Rows) {
		slot.Quarantine(record.Quarantined{
			Key: key, Source: transfer.Version{ETag: fmt.Sprint(i), Size: int64(i), LastModified: epoch}, Reason: []string{"denied", "archived", "too_large"}[i%3],
			Detail: "a sentence — about " + fmt.Sprint(i), LastAt: epoch.Add(time.Duration(i) * time.Second), Attempts: int64(i%4 + 1),
			DestinationETag: fmt.Sprint("etag of ", i),
		}, nil)
	}
}

// writtenSince holds an object whose copy may exist since a time. The row that it writes has the
// same pass as the row before.
func writtenSince(i int) settling {
	return func(slot *checkpoint.Slot, _ string, had record.Rows) {
		row := *had.Quarantined
		row.WrittenSince = epoch.Add(time.Duration(i) * time.Hour)
		slot.Hold(row, had.Entry)
	}
}
