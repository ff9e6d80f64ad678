package plan

import (
	"cmp"
	"time"

	"syncd/internal/checkpoint/record"
	"syncd/internal/listing"
	"syncd/internal/transfer"
)

// Leftovers describes copies made by syncd that have no entry because the process could not record
// them.
type Leftovers struct {
	// Range contains the destination keys of all leftovers.
	Range listing.Range
	// Claimed returns what earlier processes may have done to a source key.
	Claimed func(sourceKey string) Claimed
}

// compare compares a key with a destination key. The result ok is false if they cannot be compared,
// because neither has a counterpart at the other side.
func (d Destination) compare(at place, key string) (order int, ok bool) {
	if at.key != "" {
		return cmp.Compare(at.key, key), true
	}
	if source := d.KeyOf(key); source != "" {
		return cmp.Compare(at.source, source), true
	}
	return 0, false
}

// mayPass reports whether leftovers can exist after the current position, and at or before a key.
// The zero place is after all keys.
func (n *neighbor) mayPass(at place) bool {
	l := n.d.Leftovers
	switch {
	case !n.hasLeftovers || n.hidden:
		return false
	case n.next != nil && (!n.more || n.err == nil && l.Range.Until != "" && n.object.Key > l.Range.Until):
		return false
	case at.source == "" || l.Range.After == "":
		return true
	}
	order, ok := n.d.compare(at, l.Range.After)
	return !ok || order > 0
}

// pass moves past the current object, and yields its action if the object is a leftover. It reports
// whether the caller wants more.
func (n *neighbor) pass(yield func(Action, error) bool) bool {
	if a, ok := n.leftover(); ok && !yield(a, nil) {
		return false
	}
	n.advance()
	return true
}

// finish yields the actions for the leftovers after the last action, up to the end of the part.
func (n *neighbor) finish(yield func(Action, error) bool) {
	if !n.hasLeftovers {
		return
	}
	var end place
	if last := n.d.Part.last(); last != "" {
		end = n.d.place(last)
	}
	if !n.mayPass(end) {
		return
	}
	n.start(max(n.last, n.d.Leftovers.Range.After))
	for n.mayPass(end) && n.err == nil && !n.isAfter(end) {
		if !n.pass(yield) {
			return
		}
	}
	if n.more && n.err != nil && !n.d.Hidden(n.err) {
		yield(Action{}, n.err)
	}
}

// isAfter reports whether the current object is after a key. The zero place is after all keys.
func (n *neighbor) isAfter(at place) bool {
	switch {
	case at.source == "":
		return false
	case at.key != "":
		return n.object.Key > at.key
	default:
		return n.d.KeyOf(n.object.Key) > at.source
	}
}

// leftover returns an action for the object at the current position, which no other action covers.
// The result ok is false if the object belongs to another part or, unless all objects get an action, if
// it cannot be a copy made by syncd.
func (n *neighbor) leftover() (a Action, ok bool) {
	key := n.d.KeyOf(n.object.Key)
	isRoot := key == "" && n.d.Part.After == "" // the prefix itself, which no source object has as its copy
	if !n.hasLeftovers || key <= n.d.Part.After && (!isRoot || !n.d.All) {
		return a, false
	}
	a.Kind, a.Reason, a.Object.Key, a.Unsure = Skip, Gone, key, true
	a.Claimed, ok = n.claimed(key, n.object)
	if n.d.All {
		found := n.object
		a.Looked, a.Present = true, &found
		if !ok || isRoot {
			a.Reason, a.Unsure, ok = Stray, false, true
		}
	}
	return a, ok
}

func (n *neighbor) claimed(key string, found listing.Object) (claimed Claimed, ok bool) {
	claimed = n.d.Leftovers.Claimed(key)
	since := claimed.Since.Truncate(time.Second) // a listing has times in whole seconds
	return claimed, !claimed.Since.IsZero() && !found.LastModified.Before(since)
}

// skipped sets Unsure of a skip if the object found at the destination could be a leftover.
func (n *neighbor) skipped(a Action, found listing.Object) Action {
	if a.Kind != Skip || a.Reason == Unchanged || !n.hasLeftovers || a.knows(found) {
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

// IsThere reports whether the listing of the destination shows the copy that the ledger records.
func (a Action) IsThere() bool {
	if a.Present == nil {
		return false
	}
	return a.knows(*a.Present) || a.SetAside != nil && transfer.SameETag(a.SetAside.DestinationETag, a.Present.ETag)
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
