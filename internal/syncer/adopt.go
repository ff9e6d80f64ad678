package syncer

import (
	"context"
	"errors"
	"iter"
	"strings"

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
		mark, _ = p.destinationKey(at) // where the key cannot exist the listing begins at its start
	}
	var leftovers *plan.Leftovers
	if p.rules.Claimed != nil {
		leftovers = &plan.Leftovers{Range: p.o.claimedRange(k.Claims()), Claimed: p.rules.Claimed}
		leftovers.Range.After = max(leftovers.Range.After, mark)
	}
	return plan.Beside(actions, plan.Destination{
		Leftovers: leftovers, Unknown: isUnknown, KeyAt: p.destinationKey, KeyOf: p.o.Settings.sourceKey, Hidden: p.isHidden,
		List: func(after string) iter.Seq2[listing.Object, error] {
			return p.o.Destination.List(ctx, listing.Range{After: max(after, mark)})
		},
	})
}

// destinationKey is where a source key is copied to. One that the ledger has of another source is not.
func (p *pass) destinationKey(key string) (string, error) {
	if !strings.HasPrefix(key, p.o.Settings.Source.Prefix) {
		return "", errElsewhere
	}
	return p.o.Copier.DestinationKey(key)
}

var errElsewhere = errors.New("the mapping does not copy that key")

// isHidden reports whether the destination may not be listed: whoever may only write there adopts nothing.
func (p *pass) isHidden(err error) bool {
	if awserr.Classify(err) != awserr.Denied {
		return false
	}
	p.log.Warn("destination may not be listed, nothing is adopted", "err", err)
	return true
}
