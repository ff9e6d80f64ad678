package checkpoint

import (
	"context"
	"iter"
)

// LeaseOf tells who writes a mapping's ledger, without the lease. Ok is false
// when nobody does. An Until that has gone by means that the holder vanished.
func LeaseOf(ctx context.Context, store Store, mapping string) (info LeaseInfo, ok bool, err error) {
	return store.LeaseOf(ctx, mapping)
}

// Entries yields the last committed generation's entries in key order, without
// the lease. A generation stays readable while Options.KeepGenerations newer
// ones are committed.
func Entries(ctx context.Context, store Store, mapping string) iter.Seq2[Entry, error] {
	return func(yield func(Entry, error) bool) {
		m, err := Latest(ctx, store, mapping)
		if err != nil {
			yield(Entry{}, err)
			return
		}
		readEntries(ctx, store, m.Chunks, "")(yield)
	}
}

// Quarantine yields what the last committed generation set aside, in key order,
// without the lease.
func Quarantine(ctx context.Context, store Store, mapping string) iter.Seq2[Quarantined, error] {
	return func(yield func(Quarantined, error) bool) {
		m, err := Latest(ctx, store, mapping)
		if err != nil {
			yield(Quarantined{}, err)
			return
		}
		readQuarantine(ctx, store, m.QuarantineChunks, "")(yield)
	}
}
