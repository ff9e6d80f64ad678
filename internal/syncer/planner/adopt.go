package planner

import (
	"context"
	"errors"
	"iter"

	"syncd/internal/awserr"
	"syncd/internal/listing"
	"syncd/internal/plan"
)

// withDestination compares the plan with the destination's listing if the ledger is incomplete. A
// ledger is incomplete if it is empty, if the mapping wrote to another place before, or if an
// earlier process claimed keys without recording the results.
func (p *Planner) withDestination(ctx context.Context, past Past, actions plan.Actions) plan.Actions {
	isUnknown := p.request.IsFirst || p.hasMoved()
	mayHaveLeft := p.claims.mayHaveLeft(past.Claims())
	if p.o.Destination == nil || !isUnknown && !mayHaveLeft {
		p.hidden.Store(mayHaveLeft)
		return actions
	}
	var mark string
	if at := past.Mark(); at != "" {
		mark, _ = p.destinationKey(at) // if at has no destination key, list from the first key
	}
	var leftovers *plan.Leftovers
	if mayHaveLeft {
		leftovers = &plan.Leftovers{Range: p.claims.claimedRange(past.Claims()), Claimed: p.rules.Claimed}
		leftovers.Range.After = max(leftovers.Range.After, mark)
	}
	return plan.LookUp(actions, plan.Destination{
		Leftovers: leftovers, Unknown: isUnknown, KeyAt: p.destinationKey, KeyOf: p.sourceKeyAfter(past.Mark()), Hidden: p.isHidden,
		List: func(after string) iter.Seq2[listing.Object, error] {
			return p.o.Destination.List(ctx, listing.Range{After: max(after, mark)})
		},
	})
}

// sourceKeyAfter returns a function that maps a destination key to its source key. The function
// returns "" if there is no source key, or if the source key is at or below the mark.
func (p *Planner) sourceKeyAfter(mark string) func(key string) string {
	return func(key string) string {
		sourceKey, ok := p.o.Mapping.Settings.SourceKey(key)
		if !ok || sourceKey <= mark {
			return ""
		}
		return sourceKey
	}
}

// destinationKey returns the key that a source key is copied to. It returns errElsewhere for a key
// outside the mapping's source prefix; the ledger can still contain such keys.
func (p *Planner) destinationKey(key string) (string, error) {
	if !p.o.Mapping.Settings.Source.Contains(key) {
		return "", errElsewhere
	}
	return p.o.Keys.DestinationKey(key)
}

var errElsewhere = errors.New("the mapping does not copy that key")

// isHidden reports whether listing the destination was denied. A role that can only write to the
// destination adopts nothing.
func (p *Planner) isHidden(err error) bool {
	if awserr.Classify(err) != awserr.Denied {
		return false
	}
	p.hidden.Store(true)
	p.log.Warn("listing the destination was denied, so existing copies were not adopted", "err", err)
	return true
}
