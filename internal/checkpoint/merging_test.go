package checkpoint_test

import (
	"context"
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"syncd/internal/checkpoint"
	"syncd/internal/checkpoint/checkpointtest"
	"syncd/internal/checkpoint/record"
	"syncd/internal/checkpoint/store"
	"syncd/internal/transfer"
)

// slowReads is a store whose chunks are read slowly while isSlow is set, as when millions of rows are
// merged.
type slowReads struct {
	store.Store
	isSlow atomic.Bool
}

func (s *slowReads) Open(ctx context.Context, name string, end int64) (store.Record, error) {
	if s.isSlow.Load() {
		<-ctx.Done()
		return nil, ctx.Err()
	}
	return s.Store.Open(ctx, name, end)
}

// TestADrainDuringAMergeSavesTheRows drains a pass that has 16 saves to merge, while the merge takes
// longer than the drain allows. It checks that the rows are saved nevertheless.
func TestADrainDuringAMergeSavesTheRows(t *testing.T) {
	slow := &slowReads{Store: checkpointtest.NewMemory()}
	ledger, err := checkpoint.Open(t.Context(), slow, checkpoint.Options{Mapping: "m", Holder: "h", Fingerprint: "f"})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = ledger.Close() }()
	pass, err := ledger.Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	walk := pass.Walk("")
	for save := range 16 {
		for i := range 10 {
			key := fmt.Sprintf("%02d/%02d", save, i)
			slot, err := walk.Reserve(t.Context(), key, record.Rows{})
			if err != nil {
				t.Fatal(err)
			}
			slot.Record(record.Entry{Key: key, Source: transfer.Version{ETag: "e"}, KeyARN: "k", CopiedAt: time.Now()})
		}
		if save < 15 {
			if err := pass.Flush(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
	}
	slow.isSlow.Store(true)
	ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
	defer cancel()
	if err := pass.Abandon(ctx); err != nil {
		t.Errorf("the drain cannot save: %v", err)
	}
	slow.isSlow.Store(false)
	resumed, err := ledger.Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if got := resumed.Counts().Recorded; got != 160 {
		t.Errorf("the resumed pass has %d of 160 copies", got)
	}
}

// TestMergeWhileSaving saves while runs are merged. It checks that the next save names the merged run
// and the runs that were saved meanwhile, and that no row is lost.
func TestMergeWhileSaving(t *testing.T) {
	t.Parallel()
	memory := checkpointtest.NewMemory()
	pass := begin(t, openLedger(t, memory, options()))
	record16 := func(from int) {
		for i := range 16 {
			k := key(from + i)
			reserve(t, pass, k).Record(entry(k, "1"))
			flush(t, pass)
		}
	}
	record16(0)
	merged := make(chan error, 1)
	go func() { merged <- pass.MergeSaved(t.Context()) }()
	record16(16)
	if err := <-merged; err != nil {
		t.Fatal(err)
	}
	mergeSaved(t, pass)
	reserve(t, pass, "z").Record(entry("z", "1"))
	flush(t, pass)
	progress, _, err := record.Unfinished(t.Context(), memory, mapping)
	if err != nil || len(progress.Runs) > 17 {
		t.Errorf("got %d runs, %v, want the first 16 saves or more merged", len(progress.Runs), err)
	}
	resumed := begin(t, openLedger(t, memory.Clone(), options()))
	if got := collect(t, resumed.Pass.Previous(t.Context(), "")); len(got) != 33 {
		t.Errorf("got %d entries, want 33", len(got))
	}
}
