package syncer

import (
	"context"
	"sync"
	"time"

	"syncd/internal/checkpoint"
	"syncd/internal/checkpoint/record"
	"syncd/internal/figure"
	"syncd/internal/plan"
	"syncd/internal/syncer/backlog"
	"syncd/internal/syncer/planner"
	"syncd/internal/syncer/verify"
)

// planned yields the plan of a pass and counts each action.
type planned struct {
	planner  *planner.Planner
	ledger   *checkpoint.Pass
	tally    *tally
	backlog  *backlog.Backlog
	count    counters
	figure   *figure.Mapping
	now      func() time.Time
	found    *verify.Findings // of a pass that verifies the destination, otherwise nil
	isReplay bool

	mu   sync.Mutex
	done record.Ranges // keys that are planned, or were settled before the pass was resumed
}

// eachPart calls visit for each part of the plan. See planner.Planner.EachPart.
func (p *planned) eachPart(ctx context.Context, visit func(context.Context, planner.Part) error) error {
	p.done = p.ledger.Settled()
	if p.done.IsAll() {
		p.end()
	}
	return p.planner.EachPart(ctx, p.ledger, planner.InAnyOrder, func(ctx context.Context, part planner.Part) error {
		defer p.tally.part(part.Range().After)()
		return guarded(func() error { return visit(ctx, part) })
	})
}

// actions returns the plan of a part.
func (p *planned) actions(part planner.Part, claims *partClaims) func(context.Context) plan.Actions {
	return func(ctx context.Context) plan.Actions {
		actions := p.planner.PartActions(ctx, p.ledger, part)
		return func(yield func(plan.Action, error) bool) {
			for a, err := range actions {
				if err != nil {
					yield(a, err)
					return
				}
				p.add(a)
				claims.plan(a)
				if !yield(a, nil) {
					return
				}
			}
			claims.planAll()
			p.endPart(part)
		}
	}
}

// endPart records that the plan of a part is complete.
func (p *planned) endPart(part planner.Part) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.done = p.done.Add(record.Range(part.Range())); p.done.IsAll() {
		p.end()
	}
}

func (p *planned) add(a plan.Action) {
	p.tally.list(a)
	if p.found != nil {
		p.found.Add(a)
	}
	if a.Kind == plan.Copy {
		p.backlog.Plan(a.Object)
	}
	if !a.Forgets() {
		p.count.action(a.Reason)
	}
}

// end records that the plan is complete.
func (p *planned) end() {
	p.tally.listedAll()
	if !p.isReplay {
		p.figure.SetLastListing(p.now())
		p.backlog.ListedAll()
	}
}
