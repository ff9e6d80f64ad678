package plan

import (
	"context"
	"iter"

	"syncd/internal/awserr"
	"syncd/internal/checkpoint/record"
	"syncd/internal/listing"
)

// Replay plans a pass without listings. It looks up the objects in quarantine that rules.Retry
// selects and plans them as [Diff] does, whether or not they are due. All other entries and
// quarantine rows get [Untouched] actions, which are not Listed, so that the summary of a replay
// counts only the replayed objects.
//
// The func look returns the current source object. An error of class gone means that the object
// does not exist: the action is then Gone, as in Diff.
// An error that would affect every request ([awserr.Fatal]), or the end of ctx, ends the plan.
// After any other error Replay plans a copy of the quarantined version, and the copy then returns
// the error, so that one bad object does not stop a replay.
//
// Both inputs must be in ascending key order and begin after rules.After. Replay calls rules.Until
// when it has read the first row of each.
func Replay(
	ctx context.Context,
	previous iter.Seq2[record.Entry, error],
	quarantine iter.Seq2[record.Quarantined, error],
	look func(ctx context.Context, key string) (listing.Object, error),
	rules Rules,
) Actions {
	return func(yield func(Action, error) bool) {
		for r, err := range merge(nothing, previous, quarantine, rules.Part) {
			a := untouched(r)
			if err == nil && r.aside != nil && rules.forces(*r.aside) {
				a, err = rules.again(ctx, r, look)
			}
			if err != nil {
				yield(Action{}, err)
				return
			}
			if !yield(a, nil) {
				return
			}
		}
	}
}

// nothing is an empty listing.
func nothing(func(listing.Object, error) bool) {}

func untouched(r row) Action {
	return Action{Reason: Untouched, Object: listing.Object{Key: r.key}, Previous: r.previous, SetAside: r.aside, Rows: r.rows()}
}

// again looks up an object in quarantine and returns its action.
func (r Rules) again(
	ctx context.Context, at row, look func(context.Context, string) (listing.Object, error),
) (a Action, err error) {
	object, err := look(ctx, at.key)
	switch {
	case err == nil:
		at.object, at.isThere = object, true
	case ctx.Err() != nil, awserr.Fatal(err):
		return Action{}, err
	case awserr.Classify(err) != awserr.Gone:
		return r.blind(at), nil
	}
	return r.action(at), nil
}

// blind plans a copy of the quarantined version. It skips the filter: the object's current size and
// modification time are unknown, and the version passed the filter when it was quarantined.
func (r Rules) blind(at row) Action {
	a := Action{
		Kind: Copy, Reason: Missing, SetAside: at.aside,
		Object: listing.Object{Key: at.key, Version: at.aside.Source}, Claimed: r.claimed(at.key),
		Rows: at.rows(),
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
