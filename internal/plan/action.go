// Package plan decides what a pass does with each object, and says why.
//
// It promises one [Action] for every object of the listing and for every entry of the ledger, in
// key order, from nothing but those two sequences, what the ledger set aside, and the [Rules]: no
// request, no clock, no state. The same inputs always give the same plan. An error of any input
// ends the plan with that error; an object is never called gone because a listing broke off.
// [Replay] plans the same way for what was set aside alone, and looks each of those objects up
// instead. A [Quoter] says what carrying actions out sends, costs and takes, by one table of list
// prices that tells where each was read.
//
// It leaves to others to carry an action out (copier) and to remember what came of it (checkpoint).
//
// Three words: an action is one step, a copy or a skip; a reason is why, and is what metrics and
// summaries count by; an object is held while it is in quarantine and not due to be tried again,
// which [RetryAt] decides.
package plan

import (
	"time"

	"syncd/internal/checkpoint/record"
	"syncd/internal/listing"
)

// Kind is what an action does.
type Kind int

const (
	// Skip leaves the destination as it is.
	Skip Kind = iota
	// Copy copies the source object over whatever the destination holds under its key.
	Copy
)

// Reason is why an action was planned.
type Reason string

// The reasons. Their texts are label values and summary fields, so they are part of the public
// surface.
const (
	// Missing is a copy of an object the ledger does not know.
	Missing Reason = "missing"
	// Changed is a copy of an object whose source version differs from the one the ledger recorded.
	Changed Reason = "changed"
	// WrongKey is a copy of an object that lies in the destination under another KMS key than the
	// configured one.
	WrongKey Reason = "wrong_key"
	// Moved is a copy of an object whose recorded copy lies elsewhere: the mapping's source or
	// destination was another.
	Moved Reason = "moved"
	// WrongClass is a copy of an object that was copied when another storage class was configured.
	WrongClass Reason = "wrong_class"
	// Unproven is a copy of an object whose recorded copy may have been replaced by a pass that was
	// broken off, unless a look at the destination shows that it was not: then the object is
	// unchanged.
	Unproven Reason = "unproven"
	// Unchanged is a skip: the ledger says this source version was copied.
	Unchanged Reason = "unchanged"
	// Gone is a skip of an entry whose object the source no longer has; the copy is kept.
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
	// Held is a skip: this source version was set aside and is not due to be tried again.
	Held Reason = "held"
	// Untouched is a skip of what a replay was not asked for; the ledger keeps what it holds under
	// the key.
	Untouched Reason = "untouched"
)

// Action is one step of a pass.
type Action struct {
	// Kind says what to do.
	Kind Kind
	// Reason says why.
	Reason Reason
	// Object is the object as listed; only its Key is set when the reason is Gone or Untouched.
	Object listing.Object
	// WasListed says that the source was listed and showed the object after the key ListedAfter, ""
	// for the beginning.
	WasListed   bool
	ListedAfter string
	// Looked says that Beside has looked for the object's key at the destination; Present is what
	// it found, nil for nothing.
	Looked  bool
	Present *listing.Object
	// Claimed is what an earlier process may have done about the key at the destination.
	Claimed Claimed
	// Unsure is set of a skip when the destination must be asked what it holds: a copy may be there
	// that the ledger does not know, or not be there any more that it does.
	Unsure bool
	// Previous is what the ledger holds under the key; nil when it holds nothing.
	Previous *record.Entry
	// Inherited is what the ledger holds of the copy at the action's place in the destination,
	// where that was made of an object of another source or under another key; nil when nothing is.
	Inherited *record.Entry
	// SetAside is what the ledger set aside under the key, be it of this source version or of an
	// earlier one; nil when it set nothing aside.
	SetAside *record.Quarantined
}

// Claimed is what an earlier process may have done about a key at the destination without recording
// it. The zero Claimed says nothing.
type Claimed struct {
	// Since is the time, by the destination's clock, since when it may have written there.
	Since time.Time
	// Proved says that what the ledger has of the key is right all the same.
	Proved bool
	// OtherKeys are the KMS keys under which it may have done so, but for the configured one.
	OtherKeys []string
}

// Listed reports whether the action stands for an object of the source: one that was listed, or
// that a replay was asked for. Only such objects are counted in summaries.
func (a Action) Listed() bool { return a.Reason != Gone && a.Reason != Untouched }

// Holds reports whether SetAside is to stay in quarantine as it is, without an attempt.
func (a Action) Holds() bool { return a.SetAside != nil && (a.Reason == Held || a.Reason == Untouched) }
