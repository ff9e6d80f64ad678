package checkpoint_test

import (
	"context"
	"fmt"
	"iter"
	"log/slog"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"syncd/internal/checkpoint"
	"syncd/internal/checkpoint/checkpointtest"
	"syncd/internal/checkpoint/record"
	"syncd/internal/checkpoint/store"
	"syncd/internal/transfer"
)

const mapping = "alice-to-bob"

var epoch = time.Date(2026, 3, 1, 12, 0, 0, 123456000, time.UTC)

func options() checkpoint.Options {
	return checkpoint.Options{Mapping: mapping, Holder: "test/1", Now: func() time.Time { return epoch }}
}

// failer contains the methods that testing.T and rapid.T have in common.
type failer interface {
	Helper()
	Fatalf(format string, args ...any)
}

func openLedger(t *testing.T, store store.Store, o checkpoint.Options) *checkpoint.Ledger {
	t.Helper()
	ledger, err := checkpoint.Open(t.Context(), store, o)
	if err != nil {
		t.Fatalf("open: %v", err)
	}
	t.Cleanup(func() {
		if err := ledger.Close(); err != nil {
			t.Errorf("close: %v", err)
		}
	})
	return ledger
}

func begin(t *testing.T, ledger *checkpoint.Ledger) *solo {
	t.Helper()
	pass, err := beginSolo(t.Context(), ledger)
	if err != nil {
		t.Fatalf("begin: %v", err)
	}
	return pass
}

func reserve(t *testing.T, pass *solo, key string) *checkpoint.Slot {
	t.Helper()
	slot, err := pass.Reserve(t.Context(), key)
	if err != nil {
		t.Fatalf("reserve: %v", err)
	}
	return slot
}

func flush(t *testing.T, pass *solo) {
	t.Helper()
	if err := pass.Flush(t.Context()); err != nil {
		t.Fatalf("flush: %v", err)
	}
}

func mergeSaved(t *testing.T, pass *solo) {
	t.Helper()
	if err := pass.MergeSaved(t.Context()); err != nil {
		t.Fatalf("merge: %v", err)
	}
}

func commit(t *testing.T, pass *solo) int64 {
	t.Helper()
	generation, err := pass.Commit(t.Context())
	if err != nil {
		t.Fatalf("commit: %v", err)
	}
	return generation
}

// entry returns an entry with every column set, for a source version named etag.
func entry(key, etag string) record.Entry {
	return record.Entry{
		Key: key, Source: transfer.Version{ETag: etag, Size: int64(len(key)), LastModified: epoch.Add(-time.Hour)},
		DestinationETag: "d-" + etag, DestinationVersionID: "v-" + etag,
		KeyARN:    "arn:aws:kms:us-west-2:222222222222:key/11111111-2222-3333-4444-555555555555",
		BucketKey: true, Checksum: "crc64nvme:" + etag, CopiedAt: epoch,
	}
}

func quarantined(key, etag string) record.Quarantined {
	return record.Quarantined{
		Key: key, Source: transfer.Version{ETag: etag, Size: 7, LastModified: epoch.Add(-time.Hour)}, Reason: "denied", Detail: "access denied on " + etag, LastAt: epoch,
	}
}

func key(i int) string { return fmt.Sprintf("exports/%06d", i) }

// recordAll commits a generation of entries with the given keys.
func recordAll(t *testing.T, ledger *checkpoint.Ledger, keys ...string) {
	t.Helper()
	pass := begin(t, ledger)
	for _, k := range keys {
		reserve(t, pass, k).Record(entry(k, "1"))
	}
	commit(t, pass)
}

func keysTo(n int) (keys []string) {
	for i := range n {
		keys = append(keys, key(i))
	}
	return keys
}

// promises contains the uploads of a story, by ID, that were reported as saved and have not ended.
// The next pass must find all of them.
type promises struct {
	kept  map[string]bool
	begun int
}

func newPromises() *promises { return &promises{kept: map[string]bool{}} }

// begin begins an upload under key or, every other time, resumes one that is offered.
func (p *promises) begin(ctx context.Context, slot *checkpoint.Slot, key string) (id string, err error) {
	p.begun++
	id = fmt.Sprintf("upload-%d", p.begun)
	if offered, ok := slot.Upload(); ok && p.begun%2 == 0 {
		id = offered.ID
	}
	u := record.Upload{Key: key, ID: id, Source: transfer.Version{Size: 1 << 30}, BeganAt: epoch.Add(time.Duration(p.begun) * time.Second)}
	if err := slot.UploadBegan(ctx, u); err != nil {
		return id, err
	}
	p.kept[id] = true
	return id, nil
}

func (p *promises) end(id string) { delete(p.kept, id) }

// abortLeft aborts the uploads that no process resumes, as the syncer does before a commit.
func (p *promises) abortLeft(pass *solo) {
	for _, u := range pass.LeftUploads() {
		p.end(u.ID)
		pass.UploadAborted(u.ID)
	}
}

// missing returns the promised uploads that a new pass does not find.
func (p *promises) missing(pass *solo) []string {
	missing := maps.Clone(p.kept)
	for _, u := range pass.LeftUploads() {
		delete(missing, u.ID)
	}
	return slices.Sorted(maps.Keys(missing))
}

// carryRest settles each key in settle by calling the key's function, carries every other entry of
// the previous generation, drops the other quarantined objects, and commits.
func carryRest(t *testing.T, pass *solo, settle map[string]func(*checkpoint.Slot)) int64 {
	t.Helper()
	previous := make(map[string]record.Entry)
	for e, err := range pass.Previous(t.Context()) {
		if err != nil {
			t.Fatalf("previous: %v", err)
		}
		previous[e.Key] = e
	}
	keys := slices.AppendSeq(slices.Collect(maps.Keys(previous)), maps.Keys(settle))
	for _, q := range collect(t, pass.PreviousQuarantine(t.Context())) {
		keys = append(keys, q.Key)
	}
	slices.Sort(keys)
	for _, k := range slices.Compact(keys) {
		slot := reserve(t, pass, k)
		e, has := previous[k]
		switch f := settle[k]; {
		case f != nil:
			f(slot)
		case has:
			slot.Carry(e)
		default:
			slot.Drop()
		}
	}
	return commit(t, pass)
}

func collect[V any](t failer, seq iter.Seq2[V, error]) []V {
	t.Helper()
	var all []V
	for v, err := range seq {
		if err != nil {
			t.Fatalf("read: %v", err)
		}
		all = append(all, v)
	}
	return all
}

func etags(t *testing.T, store store.Store) map[string]string {
	t.Helper()
	all := make(map[string]string)
	for _, e := range collect(t, checkpoint.Entries(t.Context(), store, mapping)) {
		all[e.Key] = e.Source.ETag
	}
	return all
}

// counting returns a store that records the names of created records.
func counting(inner store.Store) (*checkpointtest.Faulty, *[]string) {
	var created []string
	return &checkpointtest.Faulty{Store: inner, Before: func(operation, name string) error {
		if operation == "create" {
			created = append(created, strings.TrimPrefix(name, mapping+"/"))
		}
		return nil
	}}, &created
}

// warnings returns the log of a ledger.
func warnings(o *checkpoint.Options) *strings.Builder {
	var text strings.Builder
	o.Logger = slog.New(slog.NewTextHandler(&text, nil))
	return &text
}
