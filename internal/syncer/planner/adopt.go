package planner

import (
	"context"
	"errors"
	"iter"

	"syncd/internal/awserr"
	"syncd/internal/listing"
	"syncd/internal/plan"
)

// withDestination compares the plan with what the destination holds, where the ledger does not
// know: there was none yet, the mapping wrote elsewhere before, or an earlier process has claimed
// keys there.
func (p *Planner) withDestination(ctx context.Context, past Past, actions plan.Actions) plan.Actions {
	isUnknown := p.request.IsFirst || p.hasMoved()
	mayHaveLeft := p.claims.mayHaveLeft(past.Claims())
	if p.o.Destination == nil || !isUnknown && !mayHaveLeft {
		p.hidden.Store(mayHaveLeft)
		return actions
	}
	var mark string
	if at := past.Mark(); at != "" {
		mark, _ = p.destinationKey(at) // where the key cannot exist the listing begins at its start
	}
	var leftovers *plan.Leftovers
	if mayHaveLeft {
		leftovers = &plan.Leftovers{Range: p.claims.claimedRange(past.Claims()), Claimed: p.rules.Claimed}
		leftovers.Range.After = max(leftovers.Range.After, mark)
	}
	return plan.Beside(actions, plan.Destination{
		Leftovers: leftovers, Unknown: isUnknown, KeyAt: p.destinationKey, KeyOf: p.sourceKeyAfter(past.Mark()), Hidden: p.isHidden,
		List: func(after string) iter.Seq2[listing.Object, error] {
			return p.o.Destination.List(ctx, listing.Range{After: max(after, mark)})
		},
	})
}

// sourceKeyAfter returns the function that finds the source key of a key of the destination, "" for
// one that is settled already.
func (p *Planner) sourceKeyAfter(mark string) func(key string) string {
	return func(key string) string {
		sourceKey, ok := p.o.Mapping.Settings.SourceKey(key)
		if !ok || sourceKey <= mark {
			return ""
		}
		return sourceKey
	}
}

// destinationKey is where a source key is copied to. One that the ledger has of another source is
// not.
func (p *Planner) destinationKey(key string) (string, error) {
	if !p.o.Mapping.Settings.Source.Contains(key) {
		return "", errElsewhere
	}
	return p.o.Keys.DestinationKey(key)
}

var errElsewhere = errors.New("the mapping does not copy that key")

// isHidden reports whether the destination may not be listed: a role that may only write there
// adopts nothing.
func (p *Planner) isHidden(err error) bool {
	if awserr.Classify(err) != awserr.Denied {
		return false
	}
	p.hidden.Store(true)
	p.log.Warn("destination may not be listed, nothing is adopted", "err", err)
	return true
}
