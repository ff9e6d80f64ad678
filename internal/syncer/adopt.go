package syncer

import (
	"context"
	"iter"

	"syncd/internal/awserr"
	"syncd/internal/listing"
	"syncd/internal/plan"
)

// besideDestination compares the plan with what the destination holds, where the ledger does not know: there was none yet, the
// mapping wrote elsewhere before, or an earlier process has claimed keys there.
func (p *pass) besideDestination(ctx context.Context, k known, actions plan.Actions) plan.Actions {
	isUnknown := p.expectNothing || p.hasMoved()
	if p.o.Destination == nil || !isUnknown && p.rules.Claimed == nil {
		return actions
	}
	var mark string
	if at := k.Mark(); at != "" {
		mark, _ = p.o.Copier.DestinationKey(at) // where the key cannot exist the listing begins at its start
	}
	return plan.Beside(actions, plan.Destination{
		Unknown: isUnknown, KeyAt: p.o.Copier.DestinationKey, Hidden: p.isHidden,
		List: func(after string) iter.Seq2[listing.Object, error] {
			return p.o.Destination.List(ctx, listing.Range{After: max(after, mark)})
		},
	})
}

// isHidden reports whether the destination may not be listed: whoever may only write there adopts nothing.
func (p *pass) isHidden(err error) bool {
	if awserr.Classify(err) != awserr.Denied {
		return false
	}
	p.log.Warn("destination may not be listed, nothing is adopted", "err", err)
	return true
}
