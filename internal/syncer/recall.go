package syncer

import (
	"context"
	"errors"

	"syncd/internal/checkpoint"
)

// Recall shows in the metrics what the last generation of the ledger tells, without the lease: for a mapping whose passes do not
// begin. They are for people to look at, so that what cannot be read is only logged.
func (s *Syncer) Recall(ctx context.Context) {
	last, err := checkpoint.Latest(ctx, s.o.Store, s.o.Mapping)
	if errors.Is(err, checkpoint.ErrNoCheckpoint) {
		return
	}
	if err == nil {
		s.count.last(last)
	}
	if err == nil && last.Quarantined > 0 {
		err = s.backlog.readQuarantine(checkpoint.Quarantine(ctx, s.o.Store, s.o.Mapping))
	}
	if err != nil {
		s.o.Logger.Warn("last generation was not shown", "err", err)
	}
}
