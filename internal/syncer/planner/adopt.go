package planner

import (
	"context"
	"errors"
	"iter"

	"syncd/internal/awserr"
	"syncd/internal/listing"
	"syncd/internal/plan"
)

// withDestination compares the plan of a part with the destination's listing if the ledger is
// incomplete. A ledger is incomplete if it is empty, if the mapping wrote to another place before, or
// if an earlier process claimed keys without recording the results. The parameter keys contains the
// keys of the part.
func (p *Planner) withDestination(ctx context.Context, past Past, keys listing.Range, part plan.Part, actions plan.Actions) plan.Actions {
	isUnknown := p.request.IsFirst || p.hasMoved()
	mayHaveLeft := p.claims.mayHaveLeft(past.Claims())
	if p.o.Destination == nil || !isUnknown && !mayHaveLeft && p.request.Verify == nil {
		p.hidden.Store(mayHaveLeft)
		return actions
	}
	here := listing.Range{After: p.boundAt(keys.After), Until: p.boundAt(keys.Until)}
	var leftovers *plan.Leftovers
	if claimed, ok := p.claims.claimedRange(past.Claims(), here); mayHaveLeft && ok {
		leftovers = &plan.Leftovers{Range: claimed, Claimed: p.rules.Claimed}
	}
	return plan.LookUp(actions, plan.Destination{
		Part: part, All: p.request.Verify != nil, Leftovers: leftovers, Unknown: isUnknown, KeyAt: p.destinationKey, KeyOf: p.sourceKeyAfter(keys.After), Hidden: p.isHidden,
		List: func(after string) iter.Seq2[listing.Object, error] {
			return p.o.Destination.List(ctx, listing.Range{After: max(after, here.After)})
		},
	})
}

// boundAt returns the destination key of a source key that bounds a part. If the source key has no
// destination key, boundAt returns "", which stands for no bound.
func (p *Planner) boundAt(key string) string {
	if key == "" {
		return ""
	}
	at, err := p.destinationKey(key)
	if err != nil {
		return ""
	}
	return at
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
// destination adopts nothing, but cannot verify the destination.
func (p *Planner) isHidden(err error) bool {
	if p.request.Verify != nil {
		return false
	}
	if awserr.Classify(err) != awserr.Denied {
		return false
	}
	p.hidden.Store(true)
	p.warned.Do(func() {
		p.log.Warn("listing the destination was denied, so existing copies were not adopted", "err", err)
	})
	return true
}
