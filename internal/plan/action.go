// Package plan decides what a pass does with each object, and why.
//
// It guarantees one [Action] for every object of the listing and every key of the ledger, whether in
// the entries or in quarantine, in key order. An action depends only on the listing, the entries, the quarantine and the [Rules], so the
// same inputs always give the same plan. The package sends no requests and has no clock and no
// state. An error of any input ends the plan with that error, so an object is never reported as
// gone because a listing was cut short. [Replay] plans only objects in quarantine, and looks each
// of them up instead of listing. A [Quoter] estimates the requests, the price and the time of
// carrying out actions. It uses one table of list prices that names the source of each price.
//
// A plan can cover one [Part] of the source. The plans of adjacent parts, one after the other, are
// the plan of the whole.
//
// Other packages carry out an action (copier) and record its outcome (checkpoint).
//
// Three terms: an action is one step, a copy or a skip; a reason is why the action was planned, and
// metrics and summaries count by reason; an object is held while it is in quarantine and not yet
// due for another attempt, as [RetryAt] decides.
package plan

import (
	"time"

	"syncd/internal/checkpoint/record"
	"syncd/internal/listing"
)

// Kind is what an action does.
type Kind int

const (
	// Skip leaves the destination unchanged.
	Skip Kind = iota
	// Copy copies the source object, replacing any object under its key at the destination.
	Copy
	// Delete deletes the copy of an object that no longer exists at the source. The delete follows
	// after the whole source was listed, if the number of deletes is within the limits.
	Delete
)

// Reason is why an action was planned.
type Reason string

// The reasons. Their texts are label values and summary fields, so they are part of the public
// interface.
const (
	// Missing is a copy of an object that is not in the ledger.
	Missing Reason = "missing"
	// Changed is a copy of an object whose source version differs from the recorded version.
	Changed Reason = "changed"
	// WrongKey is a copy of an object whose recorded copy is encrypted with another KMS key than
	// the configured one.
	WrongKey Reason = "wrong_key"
	// Moved is a copy of an object whose recorded copy is in another place: the mapping's source or
	// destination has changed.
	Moved Reason = "moved"
	// WrongClass is a copy of an object whose recorded copy was written to another storage class
	// than the configured one.
	WrongClass Reason = "wrong_class"
	// Unproven is a copy of an object whose recorded copy may have been replaced by a pass that was
	// interrupted. If a check of the destination finds the recorded copy, the object counts as
	// unchanged.
	Unproven Reason = "unproven"
	// Lost is a copy of an object whose recorded copy no longer exists. Only a verification plans it.
	Lost Reason = "lost"
	// Overwritten is a copy of an object whose recorded copy was replaced by another writer. The object
	// there is adopted, or replaced if copy.overwrite allows that. Only a verification plans it.
	Overwritten Reason = "overwritten"
	// Inspected is a copy of an object whose recorded copy exists. If its inspection finds no
	// difference, the object counts as unchanged. Only a verification plans it.
	Inspected Reason = "inspected"
	// Stray is a skip of an object at the destination for which there is neither a source object nor an
	// entry. Only a verification finds it.
	Stray Reason = "stray"
	// Unchanged is a skip: the ledger records a copy of this source version.
	Unchanged Reason = "unchanged"
	// Gone is a skip of an entry whose object no longer exists at the source, so that the copy is
	// kept, or the delete of that copy.
	Gone Reason = "gone"
	// NotIncluded is a skip: no include pattern matches the key.
	NotIncluded Reason = "not_included"
	// Excluded is a skip: an exclude pattern matches the key.
	Excluded Reason = "excluded"
	// TooSmall is a skip: the object is smaller than filter.min_size.
	TooSmall Reason = "too_small"
	// TooLarge is a skip: the object is larger than filter.max_size.
	TooLarge Reason = "too_large"
	// TooOld is a skip: the object was modified before filter.modified_after.
	TooOld Reason = "too_old"
	// TooNew is a skip: the object was modified after filter.modified_before.
	TooNew Reason = "too_new"
	// Held is a skip: this source version is in quarantine and not yet due for another attempt.
	Held Reason = "held"
	// Untouched is a skip of a key that a replay does not process; the ledger keeps its records for
	// the key.
	Untouched Reason = "untouched"
)

// Action is one step of a pass.
type Action struct {
	// Kind is what the action does.
	Kind Kind
	// Reason is why the action was planned.
	Reason Reason
	// Object is the object as listed. Only its Key is set if the reason is Gone or Untouched.
	Object listing.Object
	// WasListed means that the object comes from a listing of the source. ListedAfter is the key
	// that the listing returned before the object. For the first object, ListedAfter is the key after
	// which the listing started, "" for none.
	WasListed   bool
	ListedAfter string
	// Looked means that LookUp has looked up the object's key at the destination. Present is the
	// object that LookUp found, nil for none.
	Looked  bool
	Present *listing.Object
	// Claimed is what an earlier process may have done to the key at the destination.
	Claimed Claimed
	// Unsure is set for a skip if the destination must be checked: it may have a copy that is not
	// in the ledger, or the recorded copy may no longer exist.
	Unsure bool
	// Inspect means that the object at the destination must be inspected, so that all its differences are
	// reported.
	Inspect bool
	// IsDamaged means that the inspection has found differences.
	IsDamaged bool
	// Previous is the ledger's entry for the key, nil if there is none. Its Missed is that after the
	// pass.
	Previous *record.Entry
	// Inherited is the ledger's entry for the copy at the action's destination key, if that copy
	// was made from another source bucket or source key; nil if there is none.
	Inherited *record.Entry
	// SetAside is the quarantine row for the key, for this source version or an earlier version;
	// nil if there is none.
	SetAside *record.Quarantined
	// Rows are the rows that the ledger has for the key, as they were read. Unlike Previous and
	// SetAside, they do not depend on the mapping's settings or on the destination. Do not change
	// them.
	Rows record.Rows
}

// Claimed is what an earlier process may have done to a key at the destination without recording
// it. The zero Claimed means that no earlier process has written to the key.
type Claimed struct {
	// Since is the earliest time, by the destination's clock, at which the earlier process may have
	// written to the key.
	Since time.Time
	// Proved means that the ledger's entry for the key is known to be correct, although an earlier
	// process may have written to the key.
	Proved bool
	// OtherKeys are the KMS keys, other than the configured one, that the earlier process may have
	// used.
	OtherKeys []string
	// Planned means that an earlier process was about to copy the key.
	Planned bool
	// Deleted means that an earlier process may have deleted the copy.
	Deleted bool
}

// Listed reports whether the action is for an object of the source that was listed, or that a
// replay processes. Only such objects are counted in summaries.
func (a Action) Listed() bool {
	return a.Reason != Gone && a.Reason != Untouched && a.Reason != Stray
}

// MayBeUnchanged reports whether a copy is made only if a check of the destination shows that it is
// needed.
func (a Action) MayBeUnchanged() bool {
	return a.Kind == Copy && (a.Reason == Unproven || a.Reason == Inspected)
}

// Forgets reports whether the action only removes the quarantine row of an object that no longer
// exists and of which the mapping has no copy.
func (a Action) Forgets() bool {
	return a.Reason == Gone && !a.Unsure && a.Inherited == nil && a.Rows.Entry == nil
}

// Holds reports whether SetAside stays in quarantine without an attempt.
func (a Action) Holds() bool { return a.SetAside != nil && (a.Reason == Held || a.Reason == Untouched) }
