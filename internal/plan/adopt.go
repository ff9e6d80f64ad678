package plan

import (
	"iter"
	"time"

	"syncd/internal/checkpoint/record"
	"syncd/internal/listing"
	"syncd/internal/transfer"
)

// Destination defines how LookUp reads the destination.
type Destination struct {
	// List lists the destination after a key, in ascending order.
	List func(after string) iter.Seq2[listing.Object, error]
	// KeyAt returns the destination key of a source key. It must preserve the order of keys, as a
	// change of prefix does. KeyOf returns the source key of a destination key, or "" if no source
	// key maps to it.
	KeyAt func(sourceKey string) (key string, err error)
	KeyOf func(key string) (sourceKey string)
	// Unknown means that the ledger has no record of what the destination contains, so that every
	// object without an entry is looked up. Otherwise only claimed keys are looked up.
	Unknown bool
	// Leftovers describes copies without an entry that the destination may contain; nil means that
	// it contains none.
	Leftovers *Leftovers
	// Hidden reports whether an error means that the destination cannot be listed. After such an
	// error, LookUp yields the remaining actions without looking them up. Any other error ends the
	// plan.
	Hidden func(error) bool
}

// Leftovers describes copies made by syncd that have no entry because the process could not record
// them.
type Leftovers struct {
	// Range contains the destination keys of all leftovers.
	Range listing.Range
	// Claimed returns what earlier processes may have done to a source key.
	Claimed func(sourceKey string) Claimed
}

// LookUp looks up the objects of copy actions in a listing of the destination if the ledger does
// not show what the destination contains. The listing starts at the first key that must be looked
// up. A leftover whose source object no longer exists gets a separate action, so that the ledger
// records the leftover before the claim of the leftover's key is dropped. A leftover of a skipped
// object makes the skip Unsure.
func LookUp(actions Actions, d Destination) Actions {
	return func(yield func(Action, error) bool) {
		n := neighbor{d: d}
		defer n.close()
		for a, err := range actions {
			if err == nil {
				var more bool
				if a, more, err = n.look(a, yield); !more {
					return
				}
			}
			if !yield(a, err) || err != nil {
				return
			}
		}
		n.finish(yield)
	}
}

// neighbor walks the destination's listing, starting at the first key that must be looked up. It
// has always read the next object of the listing, which is the field object.
type neighbor struct {
	d      Destination
	last   string // destination key of the last action
	next   func() (listing.Object, error, bool)
	stop   func()
	hidden bool
	object listing.Object
	err    error
	more   bool
}

// wants reports whether the destination must be checked before the action is carried out.
func (n *neighbor) wants(a Action) bool {
	return a.Kind == Copy && !n.hidden && (n.d.Unknown && a.Previous == nil || !a.Claimed.Since.IsZero())
}

// mayPass reports whether leftovers can still exist after the current position.
func (n *neighbor) mayPass() bool {
	l := n.d.Leftovers
	return l != nil && !n.hidden && (n.next == nil || n.more && (n.err != nil || l.Range.Until == "" || n.object.Key <= l.Range.Until))
}

// look yields the actions for leftovers before the action's key, and returns the action with the
// object that the destination has under its key. The result more is false if the caller wants no
// more actions.
func (n *neighbor) look(a Action, yield func(Action, error) bool) (_ Action, more bool, err error) {
	key, err := n.d.KeyAt(a.Object.Key)
	if err == nil {
		defer func() { n.last = key }()
	}
	isWanted := n.wants(a) && err == nil // the copy returns the error of KeyAt, without a lookup
	if !isWanted && !n.mayPass() {
		return a, true, nil
	}
	n.start()
	if !n.walk(a.Object.Key, yield) {
		return a, false, nil
	}
	if n.more && n.err != nil {
		if n.hidden = n.d.Hidden(n.err); n.hidden {
			return a, true, nil
		}
		return a, true, n.err
	}
	a.Looked = a.Looked || isWanted
	if n.more && n.d.KeyOf(n.object.Key) == a.Object.Key {
		found := n.object
		n.advance()
		if isWanted {
			a.Present = &found
		} else {
			a = n.skipped(a, found)
		}
	}
	return a, true, nil
}

func (n *neighbor) start() {
	if n.next != nil {
		return
	}
	after := n.last
	if n.d.Leftovers != nil && !n.d.Unknown {
		after = n.d.Leftovers.Range.After // all keys that are looked up are in this range
	}
	n.next, n.stop = iter.Pull2(n.d.List(after))
	n.advance()
}

// walk moves past the destination's objects before the source key, and yields the actions for the
// leftovers among them. It reports whether the caller wants more.
func (n *neighbor) walk(key string, yield func(Action, error) bool) bool {
	for n.more && n.err == nil && n.d.KeyOf(n.object.Key) < key {
		if a, ok := n.leftover(); ok && !yield(a, nil) {
			return false
		}
		n.advance()
	}
	return true
}

// finish yields the actions for the leftovers after the last key.
func (n *neighbor) finish(yield func(Action, error) bool) {
	if !n.mayPass() {
		return
	}
	n.start()
	for n.mayPass() && n.err == nil {
		if a, ok := n.leftover(); ok && !yield(a, nil) {
			return
		}
		n.advance()
	}
	if n.more && n.err != nil && !n.d.Hidden(n.err) {
		yield(Action{}, n.err)
	}
}

// leftover returns an action for the object at the current position, which no other action covers.
// The result ok is false if the object cannot be a copy made by syncd.
func (n *neighbor) leftover() (a Action, ok bool) {
	key := n.d.KeyOf(n.object.Key)
	if n.d.Leftovers == nil || key == "" {
		return a, false
	}
	a.Kind, a.Reason, a.Object.Key, a.Unsure = Skip, Gone, key, true
	a.Claimed, ok = n.claimed(key, n.object)
	return a, ok
}

func (n *neighbor) claimed(key string, found listing.Object) (claimed Claimed, ok bool) {
	claimed = n.d.Leftovers.Claimed(key)
	since := claimed.Since.Truncate(time.Second) // a listing has times in whole seconds
	return claimed, !claimed.Since.IsZero() && !found.LastModified.Before(since)
}

// skipped sets Unsure of a skip if the object found at the destination could be a leftover.
func (n *neighbor) skipped(a Action, found listing.Object) Action {
	if a.Kind != Skip || a.Reason == Unchanged || n.d.Leftovers == nil || a.knows(found) {
		return a
	}
	claimed, ok := n.claimed(a.Object.Key, found)
	switch {
	case !ok:
	case a.Holds():
		row := *a.SetAside
		if row.WrittenSince.Year() <= 1 || claimed.Since.Before(row.WrittenSince) {
			row.WrittenSince = claimed.Since
		}
		a.SetAside = &row
	default:
		a.Unsure, a.Claimed = true, claimed
	}
	return a
}

// knows reports whether the ledger records the object found at the destination.
func (a Action) knows(found listing.Object) bool {
	for _, entry := range []*record.Entry{a.Previous, a.Inherited} {
		if entry != nil && transfer.SameETag(entry.DestinationETag, found.ETag) {
			return true
		}
	}
	return false
}

func (n *neighbor) advance() { n.object, n.err, n.more = n.next() }

func (n *neighbor) close() {
	if n.stop != nil {
		n.stop()
	}
}
