package planner

import (
	"context"

	"syncd/internal/checkpoint/record"
	"syncd/internal/plan"
	"syncd/internal/transfer"
)

// withInherited adds to the actions which copies are the mapping's own in the place where it writes
// from now on: those that it made there under its former settings.
func (p *Planner) withInherited(ctx context.Context, past Past, actions plan.Actions) plan.Actions {
	from, to := p.last.Destination, p.o.Mapping.Settings.Destination
	if !p.hasMoved() || !p.last.IsKnown || !from.SameBucket(to) {
		return actions
	}
	return plan.Inherit(actions, func(yield func(record.Entry, error) bool) {
		for e, err := range past.Base(ctx) {
			if err != nil {
				yield(e, err)
				return
			}
			if e, ok := p.rekeyed(e); ok && e.Key > past.Mark() && !yield(e, nil) {
				return
			}
		}
	})
}

// rekeyed returns a copy that was made under the former settings as an entry under the key at the
// source that goes to its place today. The entry does not say of which version of that it is,
// because nobody knows. Ok is false where no key goes there.
func (p *Planner) rekeyed(e record.Entry) (today record.Entry, ok bool) {
	wasThere := p.last.Source.Contains(e.Key)
	key, isThere := p.o.Mapping.Settings.SourceKey(p.last.DestinationKey(e.Key))
	if !wasThere || !isThere || e.Pass < p.last.PlaceSince {
		return e, false
	}
	e.Key, e.Source = key, transfer.Version{}
	return e, true
}
