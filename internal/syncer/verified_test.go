package syncer_test

import (
	"context"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"

	"syncd/internal/awsfake"
	"syncd/internal/checkpoint/checkpointtest"
	"syncd/internal/checkpoint/store"
	"syncd/internal/copier"
	"syncd/internal/syncer"
)

// openings counts the chunks that are opened.
type openings struct {
	store.Store
	chunks *atomic.Int64
}

func (o openings) Open(ctx context.Context, name string, end int64) (store.Record, error) {
	if strings.Contains(name, "/chunk-") {
		o.chunks.Add(1)
	}
	return o.Store.Open(ctx, name, end)
}

// TestAFailedPassVerifiesOnce runs passes that fail before they begin: they must not verify the
// ledger's chunks each time. Later damage is found when a chunk is read, and the pass is tried again
// from an earlier state.
func TestAFailedPassVerifiesOnce(t *testing.T) {
	checkpointtest.Bubble(t, func(t *testing.T) {
		w := newWorld(t)
		w.fill(50)
		w.both()
		var opened atomic.Int64
		o := w.options
		o.Source, o.Copier, o.Store = w.live, copier.New(w.copies), openings{o.Store, &opened}
		s := syncer.New(o)
		mustRun(t, s)
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
		mend := w.cloud.Inject(awsfake.Fault{Operation: "ListObjectsV2", Bucket: "owner-data", Kind: awsfake.AccessDenied})
		for i := range 4 {
			opened.Store(0)
			if got, err := s.Run(t.Context()); err == nil {
				t.Fatalf("got %+v, want a pass that fails", got)
			}
			if n := opened.Load(); i > 0 && n > 1 { // one chunk is opened to be read, not verified
				t.Errorf("failed pass %d: got %d chunks opened, want none to verify it", i, n)
			}
		}
		mend()
		if got := mustRun(t, s); got.Unchanged != 50 {
			t.Errorf("got %+v, want all unchanged", got)
		}
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
		chunks, err := filepath.Glob(filepath.Join(w.dir, "m", "chunk-*"))
		if err != nil || len(chunks) != 1 {
			t.Fatalf("got %q, %v, want one chunk", chunks, err)
		}
		damage(t, chunks[0])
		if got := mustRun(t, s); got.Adopted != 50 {
			t.Errorf("got %+v, want a new ledger with the copies at the destination", got)
		}
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
	})
}
