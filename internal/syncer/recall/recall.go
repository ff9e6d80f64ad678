// Package recall shows what the ledger says about a mapping before this process has run a pass of it:
// the last generation, the quarantine, when the last pass over the whole source was committed, and the
// most recent passes of any process, to whose history it also adds.
//
// It reads without the lease. What it reads is displayed and decides nothing, so errors are logged and not
// returned.
//
// Packages figure and backlog contain the numbers; the syncer calls Recall when a process starts, and
// the other methods when a ledger was opened or a generation was committed.
package recall

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

// Last shows the last generation of a mapping's ledger. All fields are required.
type Last struct {
	Store   store.Store
	Mapping string
	Log     *slog.Logger
	Figure  *figure.Mapping
	Backlog *backlog.Backlog
}

// Recall shows the last generation without the lease.
func (l *Last) Recall(ctx context.Context) {
	last, err := record.Latest(ctx, l.Store, l.Mapping)
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
		l.Log.Warn("last generation could not be read", "err", err)
	}
}

// Opened shows the last generation of a ledger that was just opened.
func (l *Last) Opened(ctx context.Context, last record.Manifest) {
	if err := l.generation(ctx, last); err != nil {
		l.Log.Warn("last generation could not be read", "err", err)
	}
	l.SetAside(ctx, last)
}

// SetAside shows the quarantine of a generation.
func (l *Last) SetAside(ctx context.Context, last record.Manifest) {
	if err := l.quarantine(ctx, last); err != nil {
		l.Log.Warn("quarantine could not be counted", "err", err)
	}
}

func (l *Last) quarantine(ctx context.Context, last record.Manifest) error {
	rows := checkpoint.Quarantine(ctx, l.Store, l.Mapping)
	if last.Quarantined == 0 {
		rows = func(func(record.Quarantined, error) bool) {}
	}
	err := l.Backlog.ReadQuarantine(rows)
	if err != nil {
		l.Backlog.Uncounted(last.Quarantined)
	}
	return err
}

// generation shows a committed generation, and when the last pass over the whole source was
// committed. A replay does not count as a pass over the whole source, because it does not list the
// source.
func (l *Last) generation(ctx context.Context, last record.Manifest) error {
	l.Figure.SetLedger(last.Generation, last.Entries)
	if last.Generation == 0 {
		return nil
	}
	if !provenance.OfReplay(last.Fingerprint) {
		l.listed(last.CommittedAt)
		l.Backlog.ListedAll()
		return nil
	}
	for m, err := range record.Manifests(ctx, l.Store, l.Mapping) {
		if err != nil {
			return err
		}
		if m.Pass != 0 && !provenance.OfReplay(m.Fingerprint) {
			l.listed(m.CommittedAt)
			break
		}
	}
	l.Backlog.ListedAll() // a replay lists nothing; an earlier pass has listed the source
	return nil
}

// listed shows when the last pass over the source was committed. Without this time, a process that
// has just started would report that the mapping was never copied.
func (l *Last) listed(at time.Time) {
	l.Figure.SetLastSuccess(at)
	l.Figure.SetLastListing(at)
}
