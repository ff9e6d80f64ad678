package syncer

import (
	"context"

	"syncd/internal/checkpoint"
)

// Recall shows in the metrics what the last generation of the ledger says, and reads the history, without the lease: for a mapping whose
// passes do not begin, or run elsewhere. They are for people to look at, so that what cannot be read is only logged.
func (s *Syncer) Recall(ctx context.Context) {
	last, err := checkpoint.Latest(ctx, s.o.Store, s.o.Mapping)
	if checkpoint.HasNoLedger(err) {
		err = nil
	}
	if err == nil {
		err = s.showLast(ctx, last)
	}
	if err == nil {
		rows := checkpoint.Quarantine(ctx, s.o.Store, s.o.Mapping)
		if last.Quarantined == 0 {
			rows = none
		}
		if err = s.backlog.readQuarantine(rows); err != nil {
			s.backlog.uncounted(last.Quarantined)
		}
	}
	if err != nil && ctx.Err() == nil {
		s.o.Logger.Warn("last generation was not shown", "err", err)
	}
	s.recallHistory(ctx)
}

// recallHistory reads which passes ended before, without the lease.
func (s *Syncer) recallHistory(ctx context.Context) {
	past, err := checkpoint.History(ctx, s.o.Store, s.o.Mapping)
	if err != nil {
		if ctx.Err() == nil {
			s.o.Logger.Warn("history was not read", "err", err)
		}
		return
	}
	s.remember(past)
}

// none is an empty quarantine.
func none(func(checkpoint.Quarantined, error) bool) {}

// showLast shows a generation that was committed before, and when a pass over the source last was: a replay lists nothing.
func (s *Syncer) showLast(ctx context.Context, last checkpoint.Manifest) error {
	s.count.committed(last.Generation, last.Entries)
	if last.Generation == 0 {
		return nil
	}
	if !replayed(last.Fingerprint) {
		s.count.listed(last.CommittedAt)
		s.backlog.known()
		return nil
	}
	for m, err := range checkpoint.Manifests(ctx, s.o.Store, s.o.Mapping) {
		if err != nil {
			return err
		}
		if m.Pass != 0 && !replayed(m.Fingerprint) {
			s.count.listed(m.CommittedAt)
			break
		}
	}
	s.backlog.known() // what a replay tries again was listed once
	return nil
}
