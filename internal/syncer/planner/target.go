package planner

import (
	"cmp"
	"time"

	"syncd/internal/checkpoint/record"
	"syncd/internal/copier"
	"syncd/internal/plan"
)

// TargetOf is what is known of the destination's key before an object is copied.
func TargetOf(a plan.Action) copier.Target {
	t := copier.Target{
		Listed: a.WasListed, ListedAfter: a.ListedAfter, Looked: a.Looked, Present: a.Present,
		OursSince: a.Claimed.Since, OursUnder: a.Claimed.OtherKeys,
	}
	for _, entry := range []*record.Entry{a.Previous, a.Inherited} {
		if entry != nil {
			t.Known = cmp.Or(t.Known, entry.DestinationETag)
		}
	}
	if q := a.SetAside; q != nil {
		t.Known = cmp.Or(t.Known, q.DestinationETag)
		t.OursSince = Earlier(t.OursSince, writtenSince(q))
	}
	return t
}

// writtenSince is the row's, which has a zero time in the form of the year 1.
func writtenSince(q *record.Quarantined) time.Time {
	if q.WrittenSince.Year() <= 1 {
		return time.Time{}
	}
	return q.WrittenSince
}

// Earlier returns the earlier of two times since when something may be syncd's own, of which a zero
// one is none.
func Earlier(a, b time.Time) time.Time {
	if a.IsZero() || !b.IsZero() && b.Before(a) {
		return b
	}
	return a
}
