package checkpoint

import (
	"context"
	"fmt"
	"iter"
	"time"

	"syncd/internal/checkpoint/chunk"
	"syncd/internal/checkpoint/record"
	"syncd/internal/checkpoint/store"
)

// LeaseOf returns who is writing a mapping's ledger. It does not need the lease. The result ok is
// false if no process holds the lease. If info.Until is in the past, the holder has stopped
// renewing the lease.
func LeaseOf(ctx context.Context, store store.Store, mapping string) (info store.LeaseInfo, ok bool, err error) {
	return store.LeaseOf(ctx, mapping)
}

// Entries yields the entries of the last committed generation in key order. It does not need the
// lease. A generation stays readable at least until Options.KeepGenerations newer generations are
// committed.
func Entries(ctx context.Context, store store.Store, mapping string) iter.Seq2[record.Entry, error] {
	return func(yield func(record.Entry, error) bool) {
		m, err := record.Latest(ctx, store, mapping)
		if err != nil {
			yield(record.Entry{}, err)
			return
		}
		chunk.Entries(ctx, store, m.Runs, "")(yield)
	}
}

// CountQuarantine counts the rows of a quarantine by reason, and returns the earliest FirstAt of
// all rows, or the zero time if there are no rows. If a row cannot be read, it returns an error and
// no counts.
func CountQuarantine(rows iter.Seq2[record.Quarantined, error]) (byReason map[string]int64, oldest time.Time, err error) {
	byReason = map[string]int64{}
	for q, err := range rows {
		if err != nil {
			return map[string]int64{}, time.Time{}, fmt.Errorf("read quarantine: %w", err)
		}
		byReason[q.Reason]++
		oldest = record.Earlier(oldest, q.FirstAt)
	}
	return byReason, oldest, nil
}

// Quarantine yields the quarantined objects of the last committed generation in key order. It does
// not need the lease.
func Quarantine(ctx context.Context, store store.Store, mapping string) iter.Seq2[record.Quarantined, error] {
	return func(yield func(record.Quarantined, error) bool) {
		m, err := record.Latest(ctx, store, mapping)
		if err != nil {
			yield(record.Quarantined{}, err)
			return
		}
		chunk.Quarantine(ctx, store, m.QuarantineRuns, "")(yield)
	}
}
