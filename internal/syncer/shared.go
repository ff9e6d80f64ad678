package syncer

import (
	"sync/atomic"

	"syncd/internal/checkpoint/generation"
	"syncd/internal/checkpoint/store"
	"syncd/internal/plan"
	"syncd/internal/syncer/backlog"
	"syncd/internal/syncer/planner"
	"syncd/internal/syncer/provenance"
	"syncd/internal/syncer/recall"
)

// shared is the state that the passes of one mapping share.
type shared struct {
	o       Options
	plans   planner.Options
	count   counters
	quoter  plan.Quoter
	backlog *backlog.Backlog
	last    *recall.Last
	history *recall.Passes
	lease   *lease
	uploads *uploads
	// warnedUnconditional means that the warning about unconditional writes was already logged.
	warnedUnconditional *atomic.Bool
}

func newShared(o Options) *shared {
	count := newCounters(o.Metrics, o.Mapping, o.Figure.Beat)
	o.Store = store.Counted{Store: o.Store, Wrote: count.storeWrite}
	o.Ledger.Verified = new(generation.Verified)
	plans := planner.Options{
		Mapping: provenance.Mapping{Name: o.Mapping, Settings: o.Settings, Store: o.Store},
		Source:  o.Source, Pages: o.Pages, Limit: o.Limit, RangeKeys: o.RangeKeys, Guard: guarded, Keys: o.Copier, Rules: o.Rules, Rekey: o.Rekey, DeleteAfter: o.Delete.After, Logger: o.Logger,
	}
	if o.Destination != nil {
		plans.Destination = o.Destination
	}
	o.Figure.SetQuarantine(nil) // drop the former configuration's counts until the ledger is read
	missing := backlog.New(o.Figure)
	o.Figure.AskOldest(func() (float64, bool) { return missing.Age(o.Now()) })
	last := &recall.Last{Store: o.Store, Mapping: o.Mapping, Log: o.Logger, Figure: o.Figure, Backlog: missing}
	return &shared{
		o: o, plans: plans, count: count, quoter: plan.NewQuoter(o.Terms), backlog: missing, last: last,
		history: &recall.Passes{Store: o.Store, Mapping: o.Mapping, Log: o.Logger, Guard: guarded},
		lease:   &lease{mapping: plans.Mapping, options: o.Ledger, log: o.Logger, figure: o.Figure, last: last},
		uploads: &uploads{uploader: o.Copier}, warnedUnconditional: &atomic.Bool{},
	}
}
