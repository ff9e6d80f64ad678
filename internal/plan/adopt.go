package plan

import (
	"iter"

	"syncd/internal/listing"
)

// Destination defines how LookUp reads the destination.
type Destination struct {
	// Part is the range of source keys of the plan.
	Part Part
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
	// All means that every key is looked up, and that each object for which there is no action gets
	// one: a skip with the reason Stray.
	All bool
	// Leftovers describes copies without an entry that the destination may contain; nil means that
	// it contains none.
	Leftovers *Leftovers
	// Hidden reports whether an error means that the destination cannot be listed. After such an
	// error, LookUp yields the remaining actions without looking them up. Any other error ends the
	// plan.
	Hidden func(error) bool
}

// LookUp looks up the objects of copy actions in a listing of the destination if the ledger does
// not show what the destination contains. A leftover whose source object no longer exists gets a
// separate action, so that the ledger records the leftover before the claim of the leftover's key is
// dropped. A leftover of a skipped object makes the skip Unsure.
//
// The actions are the plan of d.Part. The destination is listed at most once: from the first key
// that must be looked up or that can be a leftover, to the last one. It is not listed if there is
// no such key.
func LookUp(actions Actions, d Destination) Actions {
	return func(yield func(Action, error) bool) {
		n := newNeighbor(d)
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

// place is a source key with its destination key, which is "" if the source key has none.
type place struct{ source, key string }

func (d Destination) place(source string) place {
	key, err := d.KeyAt(source)
	if err != nil {
		return place{source: source}
	}
	return place{source, key}
}

// neighbor walks the destination's listing. Once the listing has started, the neighbor has always
// read the next object of the listing, which is the field object.
type neighbor struct {
	d      Destination
	last   string // destination key of the last action, or of the key before the part
	next   func() (listing.Object, error, bool)
	stop   func()
	hidden bool
	object listing.Object
	err    error
	more   bool
	// hasLeftovers means that the part can contain leftovers.
	hasLeftovers bool
}

func newNeighbor(d Destination) *neighbor {
	if d.All && d.Leftovers == nil {
		d.Leftovers = &Leftovers{Claimed: func(string) Claimed { return Claimed{} }}
	} else if d.All {
		d.Leftovers = &Leftovers{Claimed: d.Leftovers.Claimed}
	}
	n := &neighbor{d: d, hasLeftovers: d.Leftovers != nil}
	if d.Part.After == "" {
		return n
	}
	before := d.place(d.Part.After)
	n.last = before.key
	if n.hasLeftovers && d.Leftovers.Range.Until != "" {
		order, ok := d.compare(before, d.Leftovers.Range.Until)
		n.hasLeftovers = !ok || order < 0
	}
	return n
}

// wants reports whether the destination must be checked before the action is carried out.
func (n *neighbor) wants(a Action) bool {
	if n.d.All {
		return true
	}
	return a.Kind == Copy && !n.hidden && (n.d.Unknown && a.Previous == nil || !a.Claimed.Since.IsZero())
}

// look yields the actions for leftovers before the action's key, and returns the action with the
// object that the destination has under its key. The result more is false if the caller wants no
// more actions.
func (n *neighbor) look(a Action, yield func(Action, error) bool) (_ Action, more bool, err error) {
	at := n.d.place(a.Object.Key)
	if at.key != "" {
		defer func() { n.last = at.key }()
	}
	isWanted := n.wants(a) && at.key != "" // a copy without a destination key returns the error itself
	if !isWanted && !n.mayPass(at) {
		return a, true, nil
	}
	n.start(n.startFor(at))
	for n.more && n.err == nil && n.isBefore(at) && (isWanted || n.mayPass(at)) {
		if !n.pass(yield) {
			return a, false, nil
		}
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
		}
		a = n.skipped(a, found)
	}
	return a, true, nil
}

// startFor returns the key after which the listing starts if at is the first key that needs it.
func (n *neighbor) startFor(at place) (after string) {
	l := n.d.Leftovers
	if l == nil || n.d.Unknown && at.key <= l.Range.After {
		return n.last
	}
	return max(n.last, l.Range.After) // all later keys that need the listing are after both
}

// start starts the listing after a destination key, unless it has started.
func (n *neighbor) start(after string) {
	if n.next != nil {
		return
	}
	n.next, n.stop = iter.Pull2(n.d.List(after))
	n.advance()
}

// isBefore reports whether the current object is before a key.
func (n *neighbor) isBefore(at place) bool {
	if at.key != "" {
		return n.object.Key < at.key
	}
	return n.d.KeyOf(n.object.Key) < at.source
}

func (n *neighbor) advance() { n.object, n.err, n.more = n.next() }

func (n *neighbor) close() {
	if n.stop != nil {
		n.stop()
	}
}
