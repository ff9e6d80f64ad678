package syncer

import (
	"context"
	"time"

	"syncd/internal/checkpoint"
	"syncd/internal/figure"
	"syncd/internal/plan"
	"syncd/internal/syncer/backlog"
	"syncd/internal/syncer/planner"
)

// planned yields the plan of a pass and counts each action.
type planned struct {
	planner  *planner.Planner
	ledger   *checkpoint.Pass
	tally    *tally
	claims   *claims
	backlog  *backlog.Backlog
	count    counters
	figure   *figure.Mapping
	now      func() time.Time
	isReplay bool
}

// actions yields the plan.
func (p *planned) actions(ctx context.Context) plan.Actions {
	actions := p.planner.Actions(ctx, p.ledger)
	return func(yield func(plan.Action, error) bool) {
		for a, err := range actions {
			if err != nil {
				yield(a, err)
				return
			}
			p.add(a)
			if !yield(a, nil) {
				return
			}
		}
		p.end()
	}
}

func (p *planned) add(a plan.Action) {
	p.tally.list(a)
	p.claims.plan(a.Object.Key)
	if a.Kind == plan.Copy {
		p.backlog.Plan(a.Object)
	}
	p.count.action(a.Reason)
}

// end records that the plan is complete.
func (p *planned) end() {
	p.tally.listedAll()
	p.claims.plan("")
	if !p.isReplay {
		p.figure.SetLastListing(p.now())
		p.backlog.ListedAll()
	}
}
