package syncer

import (
	"context"
	"log/slog"
	"time"

	"syncd/internal/checkpoint"
	"syncd/internal/checkpoint/record"
	"syncd/internal/checkpoint/store"
	"syncd/internal/figure"
	"syncd/internal/syncer/backlog"
	"syncd/internal/syncer/provenance"
)

// lastGeneration shows the last generation of the ledger in the mapping's figure. The data is only
// displayed, so read errors are logged and not returned.
type lastGeneration struct {
	store   store.Store
	mapping string
	log     *slog.Logger
	figure  *figure.Mapping
	backlog *backlog.Backlog
}

// recall shows the last generation without the lease.
func (l *lastGeneration) recall(ctx context.Context) {
	last, err := record.Latest(ctx, l.store, l.mapping)
	if record.HasNoLedger(err) {
		err = nil
	}
	if err == nil {
		err = l.generation(ctx, last)
	}
	if err == nil {
		err = l.quarantine(ctx, last)
	}
	if err != nil && ctx.Err() == nil {
		l.log.Warn("last generation could not be read", "err", err)
	}
}

// opened shows the last generation of a ledger that was just opened.
func (l *lastGeneration) opened(ctx context.Context, last record.Manifest) {
	if err := l.generation(ctx, last); err != nil {
		l.log.Warn("last generation could not be read", "err", err)
	}
	l.setAside(ctx, last)
}

// setAside shows the quarantine of a generation.
func (l *lastGeneration) setAside(ctx context.Context, last record.Manifest) {
	if err := l.quarantine(ctx, last); err != nil {
		l.log.Warn("quarantine could not be counted", "err", err)
	}
}

func (l *lastGeneration) quarantine(ctx context.Context, last record.Manifest) error {
	rows := checkpoint.Quarantine(ctx, l.store, l.mapping)
	if last.Quarantined == 0 {
		rows = func(func(record.Quarantined, error) bool) {}
	}
	err := l.backlog.ReadQuarantine(rows)
	if err != nil {
		l.backlog.Uncounted(last.Quarantined)
	}
	return err
}

// generation shows a committed generation, and when the last pass over the whole source was
// committed. A replay does not count as a pass over the whole source, because it does not list the
// source.
func (l *lastGeneration) generation(ctx context.Context, last record.Manifest) error {
	l.figure.SetLedger(last.Generation, last.Entries)
	if last.Generation == 0 {
		return nil
	}
	if !provenance.OfReplay(last.Fingerprint) {
		l.listed(last.CommittedAt)
		l.backlog.ListedAll()
		return nil
	}
	for m, err := range record.Manifests(ctx, l.store, l.mapping) {
		if err != nil {
			return err
		}
		if m.Pass != 0 && !provenance.OfReplay(m.Fingerprint) {
			l.listed(m.CommittedAt)
			break
		}
	}
	l.backlog.ListedAll() // a replay lists nothing; an earlier pass has listed the source
	return nil
}

// listed shows when the last pass over the source was committed. Without this time, a process that
// has just started would report that the mapping was never copied.
func (l *lastGeneration) listed(at time.Time) {
	l.figure.SetLastSuccess(at)
	l.figure.SetLastListing(at)
}
