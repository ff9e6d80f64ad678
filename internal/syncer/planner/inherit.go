package planner

import (
	"context"
	"iter"

	"syncd/internal/checkpoint/record"
	"syncd/internal/plan"
	"syncd/internal/transfer"
)

// withInherited marks the actions whose destination key has a copy that the mapping made under its
// former settings.
func (p *Planner) withInherited(ctx context.Context, past Past, part plan.Part, actions plan.Actions) plan.Actions {
	if !p.inherits() {
		return actions
	}
	return plan.Inherit(actions, part, func(after string) iter.Seq2[record.Entry, error] {
		return p.rekeyedAfter(ctx, past, after)
	})
}

// inherits reports whether the destination can have copies that the mapping made under former settings
// and that belong to other source keys today.
func (p *Planner) inherits() bool {
	return p.hasMoved() && p.last.IsKnown && p.last.Destination.SameBucket(p.o.Mapping.Settings.Destination)
}

// rekeyedAfter yields the entries of the last generation whose keys of today are after a key.
func (p *Planner) rekeyedAfter(ctx context.Context, past Past, after string) iter.Seq2[record.Entry, error] {
	return func(yield func(record.Entry, error) bool) {
		for e, err := range past.Base(ctx) {
			if err != nil {
				yield(e, err)
				return
			}
			if e, ok := p.rekeyed(e); ok && e.Key > after && !yield(e, nil) {
				return
			}
		}
	}
}

// rekeyed converts the entry of a copy made under the former settings. It returns the entry with
// the source key that is copied to the same destination key today. The source version is unknown,
// so it is left empty. ok is false if no source key is copied to that destination key today.
func (p *Planner) rekeyed(e record.Entry) (today record.Entry, ok bool) {
	wasThere := p.last.Source.Contains(e.Key)
	key, isThere := p.o.Mapping.Settings.SourceKey(p.last.DestinationKey(e.Key))
	if !wasThere || !isThere || e.Pass < p.last.PlaceSince {
		return e, false
	}
	e.Key, e.Source, e.Missed = key, transfer.Version{}, record.NeverDeleted
	return e, true
}
