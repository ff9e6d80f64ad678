package plan

import (
	"iter"
	"time"

	"syncd/internal/checkpoint/record"
	"syncd/internal/listing"
	"syncd/internal/transfer"
)

// Destination is how Beside looks at the destination.
type Destination struct {
	// List lists the destination from behind a key, ascending.
	List func(after string) iter.Seq2[listing.Object, error]
	// KeyAt gives the destination's key of a source key; it must keep the order of keys, as a
	// change of prefix does. KeyOf reverses it; "" says that nothing at the source goes there.
	KeyAt func(sourceKey string) (key string, err error)
	KeyOf func(key string) (sourceKey string)
	// Unknown says that the ledger knows nothing of what the destination holds, so that all is
	// looked for; else only what was claimed is.
	Unknown bool
	// Leftovers are what may have been left there; nil: nothing.
	Leftovers *Leftovers
	// Hidden reports whether an error says that the destination may not be listed: then nothing is
	// looked for any more. Any other error ends the plan.
	Hidden func(error) bool
}

// Leftovers are the copies of syncd's own that no entry is of: of a process that could not record
// them.
type Leftovers struct {
	// Range is where in the destination they can be.
	Range listing.Range
	// Claimed says what earlier processes may have done about a source key.
	Claimed func(sourceKey string) Claimed
}

// Beside looks for what is to be copied in a listing of the destination, where the ledger does not
// say what it holds. The listing begins where it is needed first. Leftovers that no object goes to
// any more get actions of their own, so that the ledger knows of them when nothing is claimed any
// more; and one of an object that is skipped makes the skip Unsure.
func Beside(actions Actions, d Destination) Actions {
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

// neighbor walks the destination's side, one object ahead, from where it is asked first.
type neighbor struct {
	d      Destination
	last   string // the destination's key of the last action
	next   func() (listing.Object, error, bool)
	stop   func()
	hidden bool
	object listing.Object
	err    error
	more   bool
}

// wants reports whether the destination must be looked at before the action is carried out.
func (n *neighbor) wants(a Action) bool {
	return a.Kind == Copy && !n.hidden && (n.d.Unknown && a.Previous == nil || !a.Claimed.Since.IsZero())
}

// mayPass reports whether there can be leftovers where the walk has not been.
func (n *neighbor) mayPass() bool {
	l := n.d.Leftovers
	return l != nil && !n.hidden && (n.next == nil || n.more && (n.err != nil || l.Range.Until == "" || n.object.Key <= l.Range.Until))
}

// look returns the action with what the destination holds, after the actions of leftovers before
// it. More is false when no more actions are wanted.
func (n *neighbor) look(a Action, yield func(Action, error) bool) (_ Action, more bool, err error) {
	key, err := n.d.KeyAt(a.Object.Key)
	if err == nil {
		defer func() { n.last = key }()
	}
	isWanted := n.wants(a) && err == nil // a key that cannot exist there is not there; the copy will say so
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
		after = n.d.Leftovers.Range.After // nothing else is wanted than what is claimed
	}
	n.next, n.stop = iter.Pull2(n.d.List(after))
	n.advance()
}

// walk passes the objects before those of the source key, and yields the actions of the leftovers
// among them. It reports whether more are wanted.
func (n *neighbor) walk(key string, yield func(Action, error) bool) bool {
	for n.more && n.err == nil && n.d.KeyOf(n.object.Key) < key {
		if a, ok := n.leftover(); ok && !yield(a, nil) {
			return false
		}
		n.advance()
	}
	return true
}

// finish yields the actions of the leftovers after the last key.
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

// leftover returns the action for the object that the walk is at, to which no action goes. Ok is
// false where no process can have made it.
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
	since := claimed.Since.Truncate(time.Second) // as exact as a listing is
	return claimed, !claimed.Since.IsZero() && !found.LastModified.Before(since)
}

// skipped returns the action with what is there where that may be a leftover.
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

// knows reports whether the ledger knows that object of the destination.
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
