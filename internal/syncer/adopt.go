package syncer

import (
	"context"
	"iter"

	"syncd/internal/awserr"
	"syncd/internal/checkpoint"
	"syncd/internal/listing"
	"syncd/internal/plan"
)

// besideDestination compares the plan with what lies at the destination, where the ledger knows nothing of it: there was
// none yet, or the mapping wrote elsewhere before.
func (p *pass) besideDestination(ctx context.Context, k known, actions plan.Actions) plan.Actions {
	unknown := p.expectNothing || p.rules.PlaceSince == k.Number()
	if p.o.Destination == nil || !unknown {
		return actions
	}
	var after string
	if mark := k.Mark(); mark != "" {
		after, _ = p.o.Copier.DestinationKey(mark) // where the key cannot exist the listing begins at its start
	}
	return plan.Beside(actions, p.visible(p.o.Destination.List(ctx, listing.Range{After: after})), p.o.Copier.DestinationKey)
}

// visible ends the destination's listing where it is denied: whoever may only write there adopts nothing.
func (p *pass) visible(objects iter.Seq2[listing.Object, error]) iter.Seq2[listing.Object, error] {
	return func(yield func(listing.Object, error) bool) {
		for object, err := range objects {
			if awserr.Classify(err) == awserr.Denied {
				p.log.Warn("destination may not be listed, nothing is adopted", "err", err)
				return
			}
			if !yield(object, err) {
				return
			}
		}
	}
}

// adopt takes over what lies at the destination if it is the object's copy under the right key, and reports whether it did.
func (p *pass) adopt(ctx context.Context, slot *checkpoint.Slot, a plan.Action) (adopted bool, err error) {
	if a.Present == nil {
		return false, nil
	}
	result, ok, err := p.o.Copier.Adopt(ctx, a.Object, *a.Present)
	if !ok || err != nil {
		return false, err
	}
	slot.Record(entryOf(a, result))
	p.tally.adopted()
	p.count.objects.WithLabelValues(outcomeAdopted).Inc()
	return true, nil
}
