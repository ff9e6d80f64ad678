package plan

import (
	"iter"

	"syncd/internal/checkpoint/record"
)

// Inherit sets Inherited of each action to the entry of the mapping's copy at the action's
// destination key, if that copy was made from another source. A copy whose destination key belongs
// to no action gets a separate action, so that the ledger keeps its entry.
//
// The actions are the plan of a part. The func entries yields the entries of the copies after a key
// in ascending order, each under the source key that maps to the same destination key today; Inherit
// calls it once, with part.After. Entries after the part are ignored: they belong to the next part.
func Inherit(actions Actions, part Part, entries func(after string) iter.Seq2[record.Entry, error]) Actions {
	return func(yield func(Action, error) bool) {
		left, stop := pull(entries(part.After), func(e *record.Entry) string { return e.Key })
		defer stop()
		for a, err := range actions {
			if err != nil {
				yield(a, err)
				return
			}
			if !orphans(left, a.Object.Key, yield) {
				return
			}
			a.Inherited = left.take(a.Object.Key)
			if !yield(a, nil) {
				return
			}
		}
		orphans(left, part.limit(), yield)
	}
}

// orphans yields the actions for the copies before key, or for all remaining copies if key is "".
// It reports whether the plan continues.
func orphans(left *cursor[record.Entry], key string, yield func(Action, error) bool) bool {
	for left.err == nil && left.more && (key == "" || left.key < key) {
		a := Action{Kind: Skip, Reason: Gone, Inherited: left.take(left.key)}
		a.Object.Key = a.Inherited.Key
		if !yield(a, nil) {
			return false
		}
	}
	if left.err != nil {
		yield(Action{}, left.err)
		return false
	}
	return true
}
