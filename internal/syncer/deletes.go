package syncer

import (
	"context"
	"log/slog"

	"syncd/internal/checkpoint"
	"syncd/internal/copier/deleting"
	"syncd/internal/syncer/deletion"
)

// delete deletes the copies that are due, once the whole source was listed.
func (a *attempt) delete(ctx context.Context, ledger *checkpoint.Ledger, p *pass) error {
	if a.isReplay() {
		return nil
	}
	o, record := a.shared.o, p.worker.record
	record.count.withheld.Set(0)
	if o.Delete.After == 0 {
		return nil
	}
	defer record.end()
	return p.merging(ctx, func() error {
		return deletion.Run(ctx, deletion.Options{
			Ledger: p.ledger, Copier: o.Copier, After: o.Delete.After, Entries: ledger.Entries(), Limits: o.Delete.Limits(a.order.AllowDeletes),
			Withheld: record.withheld, Done: record.deleted, Stopped: record.stoppedDeletes, Guard: guarded, Patience: p.patience,
		})
	})
}

// withheld records that a limit forbids all deletes of the pass.
func (r *recorder) withheld(due int64, why string) {
	r.tally.withheld(due)
	r.count.withheld.Set(float64(due))
	r.log.Warn("deletes withheld", "copies", due, "why", why)
}

// stoppedDeletes records that no more deletes are tried, because all deletes of a batch were refused.
func (r *recorder) stoppedDeletes(untried int64) {
	r.tally.undeleted(deleting.Refused, untried)
	r.log.Warn("deletes stopped", "copies", untried)
}

// deleted records what became of a copy that was due to be deleted.
func (r *recorder) deleted(d deleting.Deletion) {
	r.tally.deleted(d.Ending)
	r.count.deletes.WithLabelValues(string(d.Ending)).Inc()
	r.count.beat()
	if d.IsGone() {
		r.log.Debug("copy deleted", "key", d.Key)
		return
	}
	isFirst := r.repeats.First("delete "+string(d.Ending), r.now(), func(log *slog.Logger, since, all int64) {
		log.Warn("copies not deleted", "reason", string(d.Ending), "objects", since, "total", all)
	})
	if isFirst {
		r.log.Warn("copy not deleted", "key", d.Key, "reason", string(d.Ending), "err", d.Err)
	} else {
		r.log.Debug("copy not deleted", "key", d.Key, "reason", string(d.Ending), "err", d.Err)
	}
}
