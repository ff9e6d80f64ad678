package syncer

import (
	"context"
	"log/slog"

	"syncd/internal/checkpoint"
	"syncd/internal/checkpoint/record"
	"syncd/internal/checkpoint/store"
	"syncd/internal/syncer/backlog"
	"syncd/internal/syncer/provenance"
)

// gauges show what the last generation of the ledger says, in the mapping's figure. They are for people to look at, so that what cannot be
// read is only logged.
type gauges struct {
	store   store.Store
	mapping string
	log     *slog.Logger
	count   counters
	backlog *backlog.Backlog
}

// recall shows the last generation without the lease.
func (g *gauges) recall(ctx context.Context) {
	last, err := record.Latest(ctx, g.store, g.mapping)
	if record.HasNoLedger(err) {
		err = nil
	}
	if err == nil {
		err = g.generation(ctx, last)
	}
	if err == nil {
		err = g.quarantine(ctx, last)
	}
	if err != nil && ctx.Err() == nil {
		g.log.Warn("last generation was not shown", "err", err)
	}
}

// opened shows the last generation of a ledger that was opened.
func (g *gauges) opened(ctx context.Context, last record.Manifest) {
	if err := g.generation(ctx, last); err != nil {
		g.log.Warn("last generation was not shown", "err", err)
	}
	g.setAside(ctx, last)
}

// setAside shows the quarantine of a generation.
func (g *gauges) setAside(ctx context.Context, last record.Manifest) {
	if err := g.quarantine(ctx, last); err != nil {
		g.log.Warn("quarantine was not counted", "err", err)
	}
}

func (g *gauges) quarantine(ctx context.Context, last record.Manifest) error {
	rows := checkpoint.Quarantine(ctx, g.store, g.mapping)
	if last.Quarantined == 0 {
		rows = func(func(record.Quarantined, error) bool) {}
	}
	err := g.backlog.ReadQuarantine(rows)
	if err != nil {
		g.backlog.Uncounted(last.Quarantined)
	}
	return err
}

// generation shows a generation that was committed before, and when a pass over the source last was: a replay lists nothing.
func (g *gauges) generation(ctx context.Context, last record.Manifest) error {
	g.count.figure.SetLedger(last.Generation, last.Entries)
	if last.Generation == 0 {
		return nil
	}
	if !provenance.OfReplay(last.Fingerprint) {
		g.count.listed(last.CommittedAt)
		g.backlog.ListedAll()
		return nil
	}
	for m, err := range record.Manifests(ctx, g.store, g.mapping) {
		if err != nil {
			return err
		}
		if m.Pass != 0 && !provenance.OfReplay(m.Fingerprint) {
			g.count.listed(m.CommittedAt)
			break
		}
	}
	g.backlog.ListedAll() // what a replay tries again was listed once
	return nil
}
