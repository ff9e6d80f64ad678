package syncer_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"syncd/internal/awsfake"
	"syncd/internal/awsfake/s3/store"
	"syncd/internal/checkpoint"
	"syncd/internal/checkpoint/record"
)

// divide makes the source's pages short, and lets the ledger have many small chunks. After a pass
// over at least 16 times perRange objects, later passes begin with 16 ranges.
func (w *world) divide(perRange, pageKeys int) {
	w.source.Configure(func(set *store.Settings) { set.PageKeys = pageKeys })
	w.options.Ledger.ChunkEntries, w.options.RangeKeys = perRange, 1
}

// rewrite writes a new version of every object whose number fits, with a size that depends on the
// round.
func (w *world) rewrite(objects, round int, fits func(i int) bool) {
	for i := range objects {
		if fits(i) {
			w.source.Put(name(i), awsfake.BytesBody([]byte(strings.Repeat("x", 2+round%1000))), awsfake.PutOptions{})
		}
	}
}

// wantSettled checks that the destination and the ledger have the current version of every source
// object, and that the ledger still has the entries of deleted objects.
func (w *world) wantSettled(t *testing.T, deleted ...string) {
	t.Helper()
	w.wantInStep(t)
	entries := map[string]record.Entry{}
	for e, err := range checkpoint.Entries(t.Context(), w.options.Store, "m") {
		if err != nil {
			t.Fatal(err)
		}
		entries[e.Key] = e
	}
	for _, key := range w.source.Keys() {
		o, _ := w.source.Object(key)
		if e, ok := entries[key]; !ok || e.Source.ETag != `"`+o.ETag+`"` || !e.Source.LastModified.Equal(o.LastModified.Truncate(time.Second)) {
			t.Fatalf("%s: got entry %+v, want one of %+v", key, e, o)
		}
		delete(entries, key)
	}
	for _, key := range deleted {
		if _, ok := entries[key]; !ok {
			t.Errorf("%s: got no entry of the deleted object, want it kept", key)
		}
		delete(entries, key)
	}
	if len(entries) > 0 {
		t.Errorf("got %d more entries in the ledger: %v", len(entries), fmt.Sprint(entries)[:200])
	}
}
