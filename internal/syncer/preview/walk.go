package preview

import (
	"context"
	"fmt"

	"syncd/internal/plan"
	"syncd/internal/syncer/planner"
)

// Walk plans the pass that a request describes, from the first key on, even if the next pass would
// resume an interrupted one. It calls visit for each action, one at a time and in no particular order.
// It returns the ledger's generation. An error that visit returns ends the walk. If no generation of the
// ledger can be read, Walk returns an error.
func Walk(ctx context.Context, o Options, request planner.Request, visit func(plan.Action) error) (generation int64, err error) {
	past, err := readPast(ctx, o.Plans.Mapping, o.Plans.Logger)
	if err != nil {
		return 0, err
	}
	if past.damage != "" {
		return 0, fmt.Errorf("read the ledger: %s", past.damage)
	}
	past.isWhole = true
	m, v := newMaker(o, past, request), newPass(o.Plans.Mapping.Name)
	if err := m.begin(ctx, &v); err != nil {
		return v.Generation, err
	}
	return v.Generation, m.walk(ctx, planner.InAnyOrder, visit)
}
