package planner

import (
	"cmp"
	"time"

	"syncd/internal/checkpoint/record"
	"syncd/internal/copier"
	"syncd/internal/plan"
)

// TargetOf returns what the ledger and the listings show about the destination key of an action,
// before its object is copied. If the claim on the key is proved, a listing does not show who wrote an object, so that
// the copier must check it.
func TargetOf(a plan.Action) copier.Target {
	t := copier.Target{
		Listed: a.WasListed, ListedAfter: a.ListedAfter, Looked: a.Looked, Present: a.Present,
		OursSince: a.Claimed.Since, OursUnder: a.Claimed.OtherKeys, IsDamaged: a.IsDamaged,
	}
	if a.Claimed.Proved {
		t.Looked, t.Present = false, nil
	}
	if a.Claimed.Proved && a.Previous != nil {
		t.OursSince, t.OursUnder = time.Time{}, nil // the entry is correct, so another object is not syncd's
	}
	for _, entry := range []*record.Entry{a.Previous, a.Inherited} {
		if entry != nil {
			t.Known = cmp.Or(t.Known, entry.DestinationETag)
		}
	}
	if q := a.SetAside; q != nil {
		t.Known = cmp.Or(t.Known, q.DestinationETag)
		t.OursSince = record.Earlier(t.OursSince, writtenSince(q))
	}
	return t
}

// writtenSince returns the WrittenSince time of a row. Rows encode the zero time as year 1.
func writtenSince(q *record.Quarantined) time.Time {
	if q.WrittenSince.Year() <= 1 {
		return time.Time{}
	}
	return q.WrittenSince
}
