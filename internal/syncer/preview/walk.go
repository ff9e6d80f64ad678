package preview

import (
	"context"
	"errors"
	"fmt"

	"syncd/internal/checkpoint/record"
	"syncd/internal/checkpoint/store"
	"syncd/internal/plan"
	"syncd/internal/syncer/planner"
)

// Walk plans the pass that a request describes, from the first key on, even if the next pass would
// resume an interrupted one. It calls visit for each action, one at a time and in no particular order.
// It returns the ledger's generation. An error that visit returns ends the walk. If no generation of the
// ledger can be read, Walk returns an error.
func Walk(ctx context.Context, o Options, request planner.Request, visit func(plan.Action) error) (generation int64, err error) {
	m, v, err := beginWhole(ctx, o, request)
	if err != nil {
		return v.Generation, err
	}
	err = m.walk(ctx, planner.InAnyOrder, visit)
	if _, isDamage := errors.AsType[*store.CorruptError](err); isDamage {
		if last, latestErr := record.Latest(ctx, o.Plans.Mapping.Store, o.Plans.Mapping.Name); latestErr == nil && last.Generation != v.Generation {
			err = fmt.Errorf("the ledger moved on from generation %d to %d while it was read, and dropped the older one (checkpoint.keep_generations): %w", v.Generation, last.Generation, err)
		}
	}
	return v.Generation, err
}

// beginWhole begins the plan of a pass from the first key on. A pass can commit between the reads of the last
// generation and of the unfinished pass, which would then lack that pass's claims; so both are read again
// until they are of the same moment.
func beginWhole(ctx context.Context, o Options, request planner.Request) (*maker, Pass, error) {
	for {
		v := newPass(o.Plans.Mapping.Name)
		past, err := readPast(ctx, o.Plans.Mapping, o.Plans.Logger)
		if err != nil {
			return nil, v, err
		}
		if past.damage != "" {
			return nil, v, fmt.Errorf("read the ledger: %s", past.damage)
		}
		past.isWhole = true
		m := newMaker(o, past, request)
		if err := m.begin(ctx, &v); err != nil {
			return nil, v, err
		}
		last, err := record.Latest(ctx, o.Plans.Mapping.Store, o.Plans.Mapping.Name)
		if err != nil && !record.HasNoLedger(err) {
			return nil, v, err
		}
		if last.Generation == v.Generation {
			return m, v, nil
		}
	}
}
