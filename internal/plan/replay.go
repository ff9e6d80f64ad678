package plan

import (
	"context"
	"iter"

	"syncd/internal/awserr"
	"syncd/internal/checkpoint/record"
	"syncd/internal/listing"
)

// Replay plans a pass that lists nothing: it looks up the objects in quarantine that rules.Retry
// names and plans them as [Diff] does, in one step, whether they are due or not. Everything else
// that the ledger holds is [Untouched], entries and quarantine alike, and not Listed, so that the
// summary of a replay counts only what was replayed.
//
// Look returns the object as the source has it now. An error of the class Gone says that it has
// none: that is Gone where the ledger has an entry, and no action where it has none. An error that
// every further request would fail with ([awserr.Fatal]), or the end of ctx, ends the plan. After
// any other the version that was set aside is planned to be copied, and the copy will say what is
// wrong with the object: one poisoned object does not stop a replay.
func Replay(
	ctx context.Context,
	previous iter.Seq2[record.Entry, error],
	quarantine iter.Seq2[record.Quarantined, error],
	look func(ctx context.Context, key string) (listing.Object, error),
	rules Rules,
) Actions {
	return func(yield func(Action, error) bool) {
		for r, err := range merge(nothing, previous, quarantine) {
			a, ok := untouched(r), true
			if err == nil && r.aside != nil && rules.forces(*r.aside) {
				a, ok, err = rules.again(ctx, r, look)
			}
			if err != nil {
				yield(Action{}, err)
				return
			}
			if ok && !yield(a, nil) {
				return
			}
		}
	}
}

// nothing is a listing that lists nothing.
func nothing(func(listing.Object, error) bool) {}

func untouched(r row) Action {
	return Action{Reason: Untouched, Object: listing.Object{Key: r.key}, Previous: r.previous, SetAside: r.aside}
}

// again looks an object in quarantine up and plans it.
func (r Rules) again(
	ctx context.Context, at row, look func(context.Context, string) (listing.Object, error),
) (a Action, ok bool, err error) {
	object, err := look(ctx, at.key)
	switch {
	case err == nil:
		at.object, at.isThere = object, true
	case ctx.Err() != nil, awserr.Fatal(err):
		return Action{}, false, err
	case awserr.Classify(err) != awserr.Gone:
		return r.blind(at), true, nil
	}
	a, ok = r.action(at)
	return a, ok, nil
}

// blind plans a copy of the version that was set aside. What the filter would say is not asked, as
// it asks for a time that nobody knows; the version passed it when it was set aside.
func (r Rules) blind(at row) Action {
	a := Action{
		Kind: Copy, Reason: Missing, SetAside: at.aside,
		Object: listing.Object{Key: at.key, Version: at.aside.Source}, Claimed: r.claimed(at.key),
	}
	switch {
	case at.previous == nil:
	case r.elsewhere(*at.previous):
		a.Reason = Moved
	default:
		a.Reason, a.Previous = Changed, at.previous
	}
	return a
}
