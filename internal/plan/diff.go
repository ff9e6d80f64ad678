package plan

import (
	"iter"
	"strings"
	"time"

	"syncd/internal/arn"
	"syncd/internal/checkpoint/record"
	"syncd/internal/listing"
)

// Rules are what decides between copy and skip.
type Rules struct {
	// Filter says which objects belong to the mapping.
	Filter Filter
	// KeyARN is the KMS key the copies must lie under; "" accepts any.
	KeyARN string
	// PlaceSince is the first pass that copied between the buckets and prefixes of today. What an
	// earlier one copied lies elsewhere.
	PlaceSince int64
	// ClassSince is the first pass that copied into the storage class of today.
	ClassSince int64
	// Claimed says what earlier processes may have done about a source key at the destination; nil
	// says nothing of any.
	Claimed func(key string) Claimed
	// OwnSince is the first pass whose entries are this pass's own, from before it was interrupted:
	// those no claim makes doubtful.
	OwnSince int64
	// OverwriteAny says that what is foreign at the destination is replaced, so that what was set
	// aside for it is due.
	OverwriteAny bool
	// After is the key behind which the source was listed, "" for the first key.
	After string
	// TargetSince is the first pass that copied each key to where it is copied today.
	TargetSince int64
	// FormerKeys are the KMS keys that the mapping had before the configured one: what an object in
	// quarantine may have left is under one of them.
	FormerKeys []string
	// Now is the time by which it is decided whether an object in quarantine is due to be tried
	// again; all are due by the zero time.
	Now time.Time
	// Retry says which objects in quarantine are tried again whether they are due or not; nil means
	// none.
	Retry func(record.Quarantined) bool
}

// Actions is a plan: one action for each key, in key order, ended by the first error.
type Actions = iter.Seq2[Action, error]

// Diff merges the source's listing with the ledger's entries and what the ledger set aside, and
// yields one action for each key of the listing or of the entries, in key order. What was set aside
// under a key that is in neither is left out: the object is gone from the source, and nothing is to
// be done about it.
//
// All inputs must ascend by key; quarantine may be nil. The sequence ends after the first error of
// any input.
func Diff(
	source iter.Seq2[listing.Object, error],
	ledger iter.Seq2[record.Entry, error],
	quarantine iter.Seq2[record.Quarantined, error],
	rules Rules,
) Actions {
	return func(yield func(Action, error) bool) {
		after := rules.After
		for r, err := range merge(source, ledger, quarantine) {
			if err != nil {
				yield(Action{}, err)
				return
			}
			a, ok := rules.action(r)
			if a.WasListed = r.isThere; r.isThere {
				a.ListedAfter, after = after, r.key
			}
			if ok && !yield(a, nil) {
				return
			}
		}
	}
}

// action decides about a row of which the source's side is known. Ok is false when there is nothing
// to do and nothing to say: the source does not have the object, and the destination no copy of it.
func (r Rules) action(at row) (a Action, ok bool) {
	moved := at.previous != nil && r.elsewhere(*at.previous)
	at.aside = r.here(at.aside)
	a = Action{Previous: at.previous, SetAside: at.aside, Claimed: r.claimed(at.key)}
	if moved {
		a.Previous = nil
	}
	if at.aside != nil && mayHaveLeft(*at.aside) {
		a.Claimed.OtherKeys = append(a.Claimed.OtherKeys, r.FormerKeys...)
	}
	isUnsure := r.isDoubtful(a) || at.aside != nil && mayHaveLeft(*at.aside)
	if !at.isThere {
		a.Reason, a.Object.Key, a.Unsure = Gone, at.key, isUnsure
		return a, at.previous != nil || a.Unsure
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
	return a, true
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

// isDoubtful reports whether the copy that the action's entry is of may have been replaced since.
func (r Rules) isDoubtful(a Action) bool {
	return a.Previous != nil && !a.Claimed.Since.IsZero() && !a.Claimed.Proved
}

// here returns the row of an object in quarantine as far as it speaks of where the mapping writes
// now: of another place's copies it says nothing.
func (r Rules) here(q *record.Quarantined) *record.Quarantined {
	if q == nil || q.Pass >= r.TargetSince {
		return q
	}
	row := *q
	row.DestinationETag, row.WrittenSince = "", time.Time{}
	return &row
}

// mayHaveLeft reports whether an object that was set aside may have a copy that no entry is of.
func mayHaveLeft(q record.Quarantined) bool {
	return q.DestinationETag != "" || q.WrittenSince.Year() > 1
}

// holds reports whether an object that is to be copied waits in quarantine instead. What was set
// aside under other settings is tried again: they may be why. So is what was written since, be it
// with the same bytes: it may have been restored, or its metadata mended.
func (r Rules) holds(o listing.Object, q *record.Quarantined) bool {
	return q != nil && o.Same(q.Source) && q.Pass >= max(r.PlaceSince, r.ClassSince) && !r.isDue(*q) && !r.forces(*q)
}

func (r Rules) isDue(q record.Quarantined) bool {
	// What lies in the future was written by a clock that was wrong.
	return r.Now.IsZero() || !RetryAt(q).After(r.Now) || q.LastAt.After(r.Now)
}

// forces reports whether an object that was set aside is to be tried whether it is due or not.
func (r Rules) forces(q record.Quarantined) bool {
	return r.Retry != nil && r.Retry(q) || r.OverwriteAny && q.Reason == Foreign
}

// elsewhere reports whether the entry is of a copy that lies where the mapping no longer writes. It
// says nothing of what lies there now, so it is no previous copy of anything.
func (r Rules) elsewhere(e record.Entry) bool { return e.Pass < r.PlaceSince }

// SameKey reports whether the KMS key that a service answered is the configured one. It accepts the
// ARN form of a key that an S3-compatible service lets be configured by its bare name.
func SameKey(answered, configured string) bool {
	if answered == configured {
		return answered != ""
	}
	bare := configured != "" && !arn.Is(configured)
	return bare && (strings.HasSuffix(answered, ":"+configured) || strings.HasSuffix(answered, "/"+configured))
}
