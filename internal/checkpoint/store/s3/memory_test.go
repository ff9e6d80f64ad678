package s3_test

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"iter"
	"runtime"
	"sync"
	"testing"

	"golang.org/x/sync/errgroup"

	"syncd/internal/checkpoint"
	"syncd/internal/checkpoint/record"
	"syncd/internal/checkpoint/store"
	"syncd/internal/checkpoint/store/s3/s3test"
)

// These flags determine how much work TestPassesAtOnceShareMemory does. The figures in
// docs/operations.md are from 10 passes over 200,000 entries each.
var (
	passesAtOnce  = flag.Int("memory-passes", 10, "how many passes TestPassesAtOnceShareMemory has at once")
	entriesOfEach = flag.Int("memory-entries", 15_000, "how many entries the ledger of each has")
)

const (
	changedOfEvery = 50
	// mostOfPass is the maximum memory in bytes that a pass may use halfway through.
	mostOfPass = 3 << 20
)

// TestPassesAtOnceShareMemory stops concurrent passes with state on S3 halfway, while their chunks
// are open. It checks that each pass uses at most mostOfPass bytes of memory.
func TestPassesAtOnceShareMemory(t *testing.T) {
	if testing.Short() {
		t.Skip("the race detector uses extra memory; make test runs it")
	}
	s := s3test.New()
	store := s.Store(nil)
	for i := range *passesAtOnce {
		fillLedger(t, store, i, *entriesOfEach)
	}
	before := liveHeap() - s.Stored(t)
	var arrived sync.WaitGroup
	arrived.Add(*passesAtOnce)
	leave := make(chan struct{})
	group, ctx := errgroup.WithContext(t.Context())
	for i := range *passesAtOnce {
		group.Go(func() error {
			return changeSome(ctx, store, i, *entriesOfEach, func(n int) {
				if n == *entriesOfEach/2+1 {
					arrived.Done()
					<-leave
				}
			})
		})
	}
	arrived.Wait()
	each := (liveHeap() - s.Stored(t) - before) / int64(*passesAtOnce)
	close(leave)
	if err := group.Wait(); err != nil {
		t.Fatal(err)
	}
	t.Logf("%d passes over %d entries each: %.1f MiB a pass", *passesAtOnce, *entriesOfEach, mebibytes(each))
	if each > mostOfPass {
		t.Errorf("got %d bytes a pass, want at most %d", each, mostOfPass)
	}
}

// TestOpenChunksHaveBoundedMemory opens the same chunk 64 times and reads its rows to the middle. It
// checks that the open chunks use at most 48 MiB together, and that they read few bytes.
func TestOpenChunksHaveBoundedMemory(t *testing.T) {
	if testing.Short() {
		t.Skip("the race detector uses extra memory; make test runs it")
	}
	const open, entries, most = 64, 10_000, 48 << 20
	s := s3test.New()
	wire := &s3test.Recorder{Next: s.Cloud.RoundTripper()}
	store := s.Store(wire)
	fillLedger(t, store, 0, entries)
	wire.Seen = nil
	before := liveHeap()
	for i := range open {
		next, stop := iter.Pull2(checkpoint.Entries(t.Context(), store, mappingOf(0)))
		defer stop()
		for n := range entries/2 + 1 {
			if e, err, ok := next(); err != nil || !ok || e.Key != bigKey(n) {
				t.Fatalf("reader %d: got %q, %v, want %q", i, e.Key, err, bigKey(n))
			}
		}
	}
	used := liveHeap() - before
	// A reader lists the manifests, reads one, opens the chunk and reads 3 row groups of 2,048 rows.
	if got := wire.Count("get "); got > open*5 {
		t.Errorf("got %d requests for objects, want at most %d", got, open*5)
	}
	t.Logf("%d open chunks: %.1f MiB", open, mebibytes(used))
	if used > most {
		t.Errorf("got %d bytes for %d open chunks, want at most %d", used, open, most)
	}
}

func mebibytes(n int64) float64 { return float64(n) / (1 << 20) }

// liveHeap returns the number of bytes that are live on the heap.
func liveHeap() int64 {
	var m runtime.MemStats
	runtime.GC()
	runtime.GC()
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc) //nolint:gosec // fits in an int64
}

func mappingOf(i int) string { return fmt.Sprintf("mapping-%d", i) }

func ledgerOf(ctx context.Context, store store.Store, i int) (*checkpoint.Ledger, error) {
	o := options()
	o.Mapping = mappingOf(i)
	return checkpoint.Open(ctx, store, o)
}

// seedOf returns the seed with which fillLedger makes entry n of ledger i.
func seedOf(i, n int) uint64 { return uint64(i)<<32 + uint64(n) } //nolint:gosec // not negative

func bigKey(i int) string { return fmt.Sprintf("exports/2026/%06d/part-%04d.parquet", i/100, i%100) }

func bigEntry(k string, seed uint64) record.Entry {
	return entry(k, fmt.Sprintf("%016x%016x", seed*0x9e3779b97f4a7c15, seed*0xbf58476d1ce4e5b9))
}

// fillLedger commits a generation of n entries that compress about as well as real entries.
func fillLedger(t *testing.T, store store.Store, i, n int) {
	t.Helper()
	ledger, err := ledgerOf(t.Context(), store, i)
	if err != nil {
		t.Fatal(err)
	}
	pass := begin(t, ledger)
	recordAll(t, pass, func(yield func(record.Entry) bool) {
		for j := range n {
			if !yield(bigEntry(bigKey(j), seedOf(i, j))) {
				return
			}
		}
	})
	if err := ledger.Close(); err != nil {
		t.Fatal(err)
	}
}

// changeSome runs a pass over a ledger with the given number of entries. The pass records a new
// version for one in changedOfEvery entries and carries the other entries.
func changeSome(ctx context.Context, store store.Store, i, entries int, at func(n int)) (err error) {
	ledger, err := ledgerOf(ctx, store, i)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, ledger.Close()) }()
	pass, err := ledger.Begin(ctx)
	if err != nil {
		return err
	}
	n, walk := 0, pass.Walk("")
	for e, err := range pass.Previous(ctx, "") {
		if err != nil {
			return err
		}
		slot, err := walk.Reserve(ctx, e.Key, record.Rows{Entry: &e})
		if err != nil {
			return err
		}
		if n%changedOfEvery == 0 {
			slot.Record(bigEntry(e.Key, uint64(n))) //nolint:gosec // not negative
		} else {
			slot.Carry(e)
		}
		if pass.Due() || n == entries/2 {
			if err := pass.Flush(ctx); err != nil {
				return err
			}
		}
		n++
		at(n)
	}
	walk.End("")
	_, err = pass.Commit(ctx)
	return err
}
