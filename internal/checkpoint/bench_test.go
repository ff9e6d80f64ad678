package checkpoint_test

import (
	"context"
	"fmt"
	"io/fs"
	"path/filepath"
	"runtime/metrics"
	"sync"
	"testing"
	"time"

	"syncd/internal/checkpoint"
	"syncd/internal/checkpoint/record"
	"syncd/internal/checkpoint/store"
	filestore "syncd/internal/checkpoint/store/file"
	"syncd/internal/checkpoint/store/s3/s3test"
)

func benchLedger(b *testing.B, dir string) *checkpoint.Ledger {
	b.Helper()
	store, err := filestore.Open(dir)
	if err != nil {
		b.Fatal(err)
	}
	return benchLedgerIn(b, store)
}

func benchLedgerIn(b *testing.B, store store.Store) *checkpoint.Ledger {
	b.Helper()
	ledger, err := checkpoint.Open(b.Context(), store, options())
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = ledger.Close() })
	return ledger
}

func benchPass(b *testing.B, ledger *checkpoint.Ledger, walk func(*checkpoint.Pass) error) {
	b.Helper()
	pass, err := ledger.Begin(b.Context())
	if err != nil {
		b.Fatal(err)
	}
	if err := walk(pass); err != nil {
		b.Fatal(err)
	}
	if _, err := pass.Commit(b.Context()); err != nil {
		b.Fatal(err)
	}
}

func fill(b *testing.B, ledger *checkpoint.Ledger, rows int) {
	b.Helper()
	benchPass(b, ledger, func(pass *checkpoint.Pass) error {
		walk := pass.Walk("")
		for i := range rows {
			k := fmt.Sprintf("exports/2026/%06d/part-%04d.parquet", i/100, i%100)
			slot, err := walk.Reserve(b.Context(), k, record.Rows{})
			if err != nil {
				return err
			}
			e := entry(k, fmt.Sprintf("%032x", uint64(i)*0x9e3779b97f4a7c15))
			slot.Record(e)
			if pass.Due() {
				if err := pass.Flush(b.Context()); err != nil {
					return err
				}
			}
		}
		walk.End("")
		return nil
	})
}

func perEntry(b *testing.B, rows int) {
	b.Helper()
	b.ReportMetric(float64(b.N)*float64(rows)/b.Elapsed().Seconds(), "entries/s")
}

// folderSize returns the number of bytes in a folder.
func folderSize(b *testing.B, dir string) (size int64) {
	b.Helper()
	err := filepath.WalkDir(dir, func(_ string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		info, err := d.Info()
		if err == nil {
			size += info.Size()
		}
		return err
	})
	if err != nil {
		b.Fatal(err)
	}
	return size
}

// peakHeap samples the bytes of heap objects that are live or not yet swept. Stop ends the sampling
// and returns the maximum.
func peakHeap() (stop func() uint64) {
	ctx, cancel := context.WithCancel(context.Background())
	var group sync.WaitGroup
	var peak uint64
	group.Go(func() {
		sample := []metrics.Sample{{Name: "/memory/classes/heap/objects:bytes"}}
		ticker := time.NewTicker(10 * time.Millisecond)
		defer ticker.Stop()
		for {
			metrics.Read(sample)
			peak = max(peak, sample[0].Value.Uint64())
			select {
			case <-ticker.C:
			case <-ctx.Done():
				return
			}
		}
	})
	return func() uint64 {
		cancel()
		group.Wait()
		return peak
	}
}

// carryAll runs a pass that carries over every entry, because nothing has changed.
func carryAll(b *testing.B, ledger *checkpoint.Ledger) {
	b.Helper()
	benchPass(b, ledger, func(pass *checkpoint.Pass) error {
		walk := pass.Walk("")
		for e, err := range pass.Previous(b.Context(), "") {
			if err != nil {
				return err
			}
			slot, err := walk.Reserve(b.Context(), e.Key, record.Rows{Entry: &e})
			if err != nil {
				return err
			}
			slot.Carry(e)
		}
		walk.End("")
		return nil
	})
}

// BenchmarkUnchangedPassOnS3 counts, per million entries, the requests of opening the ledger and of
// a pass in which nothing has changed.
func BenchmarkUnchangedPassOnS3(b *testing.B) {
	s := s3test.New()
	wire := &s3test.Recorder{Next: s.Cloud.RoundTripper()}
	ledger := benchLedgerIn(b, s.Store(wire))
	fill(b, ledger, 1_000_000)
	if err := ledger.Close(); err != nil {
		b.Fatal(err)
	}
	wire.Seen = nil
	ledger = benchLedgerIn(b, s.Store(wire))
	opening := len(wire.Seen)
	wire.Seen = nil
	for b.Loop() {
		carryAll(b, ledger)
	}
	b.ReportMetric(float64(opening), "requests/open")
	b.ReportMetric(float64(len(wire.Seen))/float64(b.N), "requests/pass")
	perEntry(b, 1_000_000)
}

// BenchmarkUnchangedPass measures a pass in which nothing has changed: every entry is read, joined
// and carried over. Memory use must not grow with the number of entries.
func BenchmarkUnchangedPass(b *testing.B) {
	for _, millions := range []int{1, 5} {
		b.Run(fmt.Sprintf("%dM", millions), func(b *testing.B) {
			rows, dir := millions*1_000_000, b.TempDir()
			ledger := benchLedger(b, dir)
			fill(b, ledger, rows)
			size := folderSize(b, dir)
			b.ReportAllocs()
			stop := peakHeap()
			for b.Loop() {
				carryAll(b, ledger)
			}
			b.ReportMetric(float64(stop())/(1<<20), "peak-heap-MiB")
			b.ReportMetric(float64(size)/float64(rows), "disk-B/entry")
			perEntry(b, rows)
		})
	}
}

// BenchmarkFirstPass records a million entries, and saves whenever a save is due.
func BenchmarkFirstPass(b *testing.B) {
	const rows = 1_000_000
	stop := peakHeap()
	for b.Loop() {
		fill(b, benchLedger(b, b.TempDir()), rows)
	}
	b.ReportMetric(float64(stop())/(1<<20), "peak-heap-MiB")
	perEntry(b, rows)
}
