package plan

import (
	"iter"
	"strings"
	"time"

	"syncd/internal/arn"
	"syncd/internal/checkpoint/record"
	"syncd/internal/listing"
)

// Rules decide between copy and skip.
type Rules struct {
	// Part is the range of source keys to plan.
	Part
	// Filter decides which objects belong to the mapping.
	Filter Filter
	// KeyARN is the ARN of the KMS key that copies must be encrypted with; "" accepts any key.
	KeyARN string
	// PlaceSince is the number of the first pass that copied between the current buckets and
	// prefixes. Copies of earlier passes are in other places.
	PlaceSince int64
	// ClassSince is the number of the first pass that copied into the current storage class.
	ClassSince int64
	// Claimed returns what earlier processes may have done to a source key at the destination; a
	// nil func means that they have written no key.
	Claimed func(key string) Claimed
	// OwnSince is the lowest number of a pass whose entries count as this pass's own: this pass
	// recorded them before it was interrupted. Claims do not make these entries doubtful.
	OwnSince int64
	// OverwriteAny means that foreign objects at the destination are replaced, so that objects in
	// quarantine with the reason Foreign are due.
	OverwriteAny bool
	// TargetSince is the number of the first pass that copied each key to its current destination
	// bucket and key.
	TargetSince int64
	// FormerKeys are the KMS keys that the mapping had before the configured one. A copy left by an
	// object in quarantine may be encrypted with one of these keys.
	FormerKeys []string
	// Now is the time for deciding whether an object in quarantine is due for another attempt. With
	// the zero time, all objects in quarantine are due.
	Now time.Time
	// DeleteAfter is after how many passes in a row that do not list an object its copy is deleted; 0
	// means that copies are kept. Within reports whether the listing covers a source key, and Pass is
	// the number of this pass; both are needed only for deletes.
	DeleteAfter int64
	Within      func(key string) bool
	Pass        int64
	// Retry selects objects in quarantine that are tried even if they are not due; nil selects
	// none.
	Retry func(record.Quarantined) bool
}

// Actions is a plan: one action for each key, in key order, ended by the first error.
type Actions = iter.Seq2[Action, error]

// Diff merges the source's listing with the ledger's entries and quarantine. It yields one action
// for each key of the inputs, in key order. A quarantine row for a key that is neither in the
// listing nor in the entries gets a skip that is Gone and has no Previous, so that the row is
// removed from the ledger: the object no longer exists at the source and has no copy.
//
// All inputs must be in ascending key order and begin after rules.After; ledger and quarantine may
// be nil. Rows of the ledger after the part are ignored: they belong to the next part. The sequence
// ends after the first error of any input.
func Diff(
	source iter.Seq2[listing.Object, error],
	ledger iter.Seq2[record.Entry, error],
	quarantine iter.Seq2[record.Quarantined, error],
	rules Rules,
) Actions {
	return func(yield func(Action, error) bool) {
		after := rules.After
		for r, err := range merge(source, ledger, quarantine, rules.Part) {
			if err != nil {
				yield(Action{}, err)
				return
			}
			a := rules.action(r)
			if a.WasListed = r.isThere; r.isThere {
				a.ListedAfter, after = after, r.key
			}
			if !yield(a, nil) {
				return
			}
		}
	}
}

// action returns the action for a row.
func (r Rules) action(at row) (a Action) {
	rows := at.rows()
	moved := at.previous != nil && r.elsewhere(*at.previous)
	at.aside = r.here(at.aside)
	a = Action{Previous: at.previous, SetAside: at.aside, Claimed: r.claimed(at.key), Rows: rows}
	if moved {
		a.Previous = nil
	}
	if at.aside != nil && mayHaveLeft(*at.aside) {
		a.Claimed.OtherKeys = append(a.Claimed.OtherKeys, r.FormerKeys...)
	}
	isUnsure := r.isDoubtful(a) || at.aside != nil && mayHaveLeft(*at.aside)
	if !at.isThere {
		a.Reason, a.Object.Key, a.Unsure = Gone, at.key, isUnsure
		return r.missed(a)
	}
	if a.Previous != nil && a.Previous.Missed > 0 {
		a = a.withMissed(0, 0)
	}
	a.Object = at.object
	a.Kind, a.Reason = r.decide(a.Object, a.Previous, moved)
	if a.Kind == Skip && a.Reason != Unchanged {
		a.Unsure = isUnsure
	}
	if a.Reason == Unchanged && r.isDoubtful(a) {
		a.Kind, a.Reason = Copy, Unproven
	}
	if a.Kind == Copy && r.holds(a.Object, at.aside) {
		a.Kind, a.Reason = Skip, Held
	}
	return a
}

// missed returns the action for an entry whose object was not listed, with one more missed pass, unless
// the pass counted before it was resumed. The copy is deleted if enough passes in a row have missed the
// object. If the destination must be checked first, the pass does not count.
func (r Rules) missed(a Action) Action {
	if r.DeleteAfter == 0 || a.Previous == nil || a.Previous.Missed < 0 || a.Unsure || !r.Within(a.Object.Key) {
		return a
	}
	if a.Previous.MissedIn < r.OwnSince {
		a = a.withMissed(a.Previous.Missed+1, r.Pass)
	}
	if a.Previous.Missed >= r.DeleteAfter {
		a.Kind = Delete
	}
	return a
}

// withMissed returns the action with Missed and MissedIn of its entry set.
func (a Action) withMissed(n, in int64) Action {
	entry := *a.Previous
	entry.Missed, entry.MissedIn = n, in
	a.Previous = &entry
	return a
}

func (r Rules) decide(o listing.Object, previous *record.Entry, moved bool) (Kind, Reason) {
	rejected := r.Filter.Reject(o)
	switch {
	case rejected != "":
		return Skip, rejected
	case moved:
		return Copy, Moved
	case previous == nil:
		return Copy, Missing
	case !o.Same(previous.Source):
		return Copy, Changed
	case r.KeyARN != "" && !SameKey(previous.KeyARN, r.KeyARN):
		return Copy, WrongKey
	case previous.Pass < r.ClassSince:
		return Copy, WrongClass
	default:
		return Skip, Unchanged
	}
}

func (r Rules) claimed(key string) Claimed {
	if r.Claimed == nil {
		return Claimed{}
	}
	return r.Claimed(key)
}

// isDoubtful reports whether the copy in the action's entry may have been replaced since the entry
// was recorded.
func (r Rules) isDoubtful(a Action) bool {
	return a.Previous != nil && (a.Claimed.Deleted || !a.Claimed.Since.IsZero() && !a.Claimed.Proved)
}

// here returns the quarantine row q. If the mapping's destination has changed since q was recorded,
// here returns a copy of q without the fields that describe what the destination contains.
func (r Rules) here(q *record.Quarantined) *record.Quarantined {
	if q == nil || q.Pass >= r.TargetSince {
		return q
	}
	row := *q
	row.DestinationETag, row.WrittenSince = "", time.Time{}
	return &row
}

// mayHaveLeft reports whether the destination may contain a copy, without an entry, of an object in
// quarantine.
func mayHaveLeft(q record.Quarantined) bool {
	return q.DestinationETag != "" || q.WrittenSince.Year() > 1
}

// holds reports whether an object that would be copied stays in quarantine instead. An object that
// was quarantined under other settings is tried again, because those settings may have been the
// cause. An object that was written since its quarantine is also tried again, even if its bytes are
// the same: it may have been restored, or its metadata corrected.
func (r Rules) holds(o listing.Object, q *record.Quarantined) bool {
	return q != nil && o.Same(q.Source) && q.Pass >= max(r.PlaceSince, r.ClassSince) && !r.isDue(*q) && !r.forces(*q)
}

func (r Rules) isDue(q record.Quarantined) bool {
	// A time in the future was written by a wrong clock.
	return r.Now.IsZero() || !RetryAt(q).After(r.Now) || q.LastAt.After(r.Now)
}

// forces reports whether an object in quarantine is tried even if it is not due.
func (r Rules) forces(q record.Quarantined) bool {
	return r.Retry != nil && r.Retry(q) || r.OverwriteAny && q.Reason == Foreign
}

// elsewhere reports whether the entry's copy is in a place to which the mapping no longer writes.
// Such an entry shows nothing about the current place, so it is not used as the previous copy.
func (r Rules) elsewhere(e record.Entry) bool { return e.Pass < r.PlaceSince }

// SameKey reports whether the KMS key in a service's response is the configured key. It accepts the
// ARN of a key that is configured by its bare name, as some S3-compatible services allow.
func SameKey(answered, configured string) bool {
	if answered == configured {
		return answered != ""
	}
	bare := configured != "" && !arn.Is(configured)
	return bare && (strings.HasSuffix(answered, ":"+configured) || strings.HasSuffix(answered, "/"+configured))
}
