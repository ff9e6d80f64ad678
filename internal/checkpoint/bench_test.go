package checkpoint_test

import (
	"fmt"
	"runtime"
	"testing"

	"syncd/internal/checkpoint"
)

const benchRows = 1_000_000

func benchLedger(b *testing.B) *checkpoint.Ledger {
	b.Helper()
	store, err := checkpoint.OpenFile(b.TempDir())
	if err != nil {
		b.Fatal(err)
	}
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

func fill(b *testing.B, ledger *checkpoint.Ledger) {
	b.Helper()
	benchPass(b, ledger, func(pass *checkpoint.Pass) error {
		for i := range benchRows {
			k := fmt.Sprintf("exports/2026/%06d/part-%04d.parquet", i/100, i%100)
			slot, err := pass.Reserve(b.Context(), k)
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
		return nil
	})
}

func perEntry(b *testing.B) {
	b.Helper()
	b.ReportMetric(float64(b.N)*benchRows/b.Elapsed().Seconds(), "entries/s")
}

// BenchmarkUnchangedPass is the steady state: a million entries are read, joined
// and carried over.
func BenchmarkUnchangedPass(b *testing.B) {
	ledger := benchLedger(b)
	fill(b, ledger)
	b.ReportAllocs()
	for b.Loop() {
		benchPass(b, ledger, func(pass *checkpoint.Pass) error {
			for e, err := range pass.Previous(b.Context()) {
				if err != nil {
					return err
				}
				slot, err := pass.Reserve(b.Context(), e.Key)
				if err != nil {
					return err
				}
				slot.Carry(e)
			}
			return nil
		})
	}
	perEntry(b)
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	b.ReportMetric(float64(m.Sys)/(1<<20), "MiB-sys")
}

// BenchmarkFirstPass records a million entries, saving as often as is due.
func BenchmarkFirstPass(b *testing.B) {
	for b.Loop() {
		fill(b, benchLedger(b))
	}
	perEntry(b)
}
