package plan

import (
	"fmt"
	"time"

	"syncd/internal/checkpoint/record"
	"syncd/internal/listing"
)

// Difference is what a verification found wrong with one key at the destination.
type Difference struct {
	// Kind is what is wrong.
	Kind DifferenceKind
	// Key is the key at the source.
	Key string
	// Bytes is the size of the source object, or of the object at the destination if the source has
	// none.
	Bytes int64
	// Detail describes the difference: what was expected and what was found.
	Detail string
	// IsMended means that the pass which verifies the destination tries to mend the difference.
	IsMended bool
	// IsPending means that the next pass mends the difference anyway, because the source or the settings
	// have changed since the last pass.
	IsPending bool
}

// DifferenceKind is what is wrong with one key at the destination. The texts are part of the public
// interface.
type DifferenceKind string

// The kinds of differences. A listing shows those up to DiffersForeign; the others need a HEAD.
const (
	// DiffersMissing means that the copy does not exist.
	DiffersMissing DifferenceKind = "missing"
	// DiffersStale means that the source has a newer version than the copy.
	DiffersStale DifferenceKind = "stale"
	// DiffersOverwritten means that another writer has replaced the copy.
	DiffersOverwritten DifferenceKind = "overwritten"
	// DiffersQuarantined means that the object is in quarantine, so that its current version has no copy.
	DiffersQuarantined DifferenceKind = "quarantined"
	// DiffersForeign means that an object exists under a key that syncd neither wrote nor adopted.
	DiffersForeign DifferenceKind = "foreign"
	// DiffersKey means that the copy is encrypted with another KMS key than the configured one.
	DiffersKey DifferenceKind = "wrong_key"
	// DiffersUnencrypted means that the copy is not encrypted with any KMS key.
	DiffersUnencrypted DifferenceKind = "unencrypted"
	// DiffersBucketKey means that the copy uses an S3 Bucket Key although the mapping does not, or the
	// reverse.
	DiffersBucketKey DifferenceKind = "bucket_key"
	// DiffersClass means that the copy was written to another storage class than the configured one.
	DiffersClass DifferenceKind = "wrong_class"
	// DiffersMetadata means that headers or user metadata differ from the source.
	DiffersMetadata DifferenceKind = "metadata"
	// DiffersTags means that the tags differ from the source.
	DiffersTags DifferenceKind = "tags"
	// DiffersAnnotations means that the annotations differ from the source.
	DiffersAnnotations DifferenceKind = "annotations"
	// DiffersLock means that the copy has no retention or legal hold, or a shorter one than it should.
	DiffersLock DifferenceKind = "object_lock"
	// DiffersChecksum means that the checksum or the size differs from the source.
	DiffersChecksum DifferenceKind = "checksum"
	// DiffersUnchecked means that the copy could not be checked, for example because a request was denied.
	DiffersUnchecked DifferenceKind = "unchecked"
)

// DifferenceKinds returns all kinds of differences.
func DifferenceKinds() []DifferenceKind {
	return []DifferenceKind{
		DiffersMissing, DiffersStale, DiffersOverwritten, DiffersQuarantined, DiffersForeign, DiffersKey, DiffersUnencrypted, DiffersBucketKey,
		DiffersClass, DiffersMetadata, DiffersTags, DiffersAnnotations, DiffersLock, DiffersChecksum, DiffersUnchecked,
	}
}

// Verification compares the destination with a plan. Its funcs must be safe for concurrent use.
type Verification struct {
	// Began returns when the verification began, by the destination's clock. Objects that were written
	// later are not judged. It is called after the destination was listed.
	Began func() time.Time
	// Inspects reports whether the copy of a source key must be inspected with requests of its own; nil
	// means that no copy is.
	Inspects func(key string) bool
	// Found is called for each difference, and Unsettled for each key that cannot be judged because a
	// pass may be writing it.
	Found     func(Difference)
	Unsettled func(key string)
}

// Verify compares the actions with the objects that LookUp found at the destination, which must have
// All set, and reports the differences. It returns the plan that mends them: an unchanged object whose
// copy is missing or was replaced is copied, and an object whose copy must be inspected becomes a copy
// with the reason Inspected. Actions for foreign objects are reported and removed.
func (v Verification) Verify(actions Actions) Actions {
	return func(yield func(Action, error) bool) {
		for a, err := range actions {
			if err == nil {
				var isPlanned bool
				if a, isPlanned = v.verify(a); !isPlanned {
					continue
				}
			}
			if !yield(a, err) || err != nil {
				return
			}
		}
	}
}

// verify reports what differs, and returns the action that mends it. isPlanned is false if the action
// concerns only an object of another writer.
func (v Verification) verify(a Action) (mended Action, isPlanned bool) {
	isPlanned = a.Reason != Stray
	if v.isUnsettled(a) {
		v.Unsettled(a.Object.Key)
		return a, isPlanned
	}
	kind := differs(a)
	mended = v.mended(a, kind)
	if kind != "" {
		v.Found(Difference{Kind: kind, Key: a.Object.Key, Bytes: a.size(), Detail: a.detail(kind), IsMended: mended.Kind == Copy || kind == DiffersMissing && mended.Previous == nil, IsPending: a.isPending(kind)})
	}
	return mended, isPlanned
}

// mended returns the action that mends a difference. An unchanged object whose copy differs is copied, and
// one whose copy must be inspected may be. An entry without a source object, whose copy no longer exists, is
// forgotten.
func (v Verification) mended(a Action, kind DifferenceKind) Action {
	switch {
	case a.Reason == Gone && kind == DiffersMissing:
		a.Previous, a.Inherited = nil, nil
	case a.Reason != Unchanged && a.Reason != Unproven:
	case kind == DiffersMissing:
		a.Kind, a.Reason = Copy, Lost
	case kind == DiffersOverwritten:
		a.Kind, a.Reason, a.Inspect = Copy, Overwritten, v.inspects(a)
	case a.Reason == Unproven:
		a.Inspect = v.inspects(a)
	case v.inspects(a):
		a.Kind, a.Reason, a.Inspect = Copy, Inspected, true
	}
	return a
}

// inspects reports whether the object at the destination must be inspected.
func (v Verification) inspects(a Action) bool {
	return a.Present != nil && v.Inspects != nil && v.Inspects(a.Object.Key)
}

// isUnsettled reports whether the state of the key at the destination may be the effect of a pass that has
// not recorded it yet, so that it cannot be judged.
func (v Verification) isUnsettled(a Action) bool {
	isClaimed := !a.Claimed.Since.IsZero() && !a.Claimed.Proved
	switch {
	case !a.Looked, a.IsThere():
		return false
	case a.Present == nil:
		return a.Claimed.Deleted || isClaimed && a.Previous == nil && a.Kind == Copy
	case isClaimed && !a.Present.LastModified.Before(a.Claimed.Since.Truncate(time.Second)):
		return true
	default:
		return !a.Present.LastModified.Before(v.Began().Truncate(time.Second))
	}
}

// differs returns how the object at the destination differs from what the action shows about it; "" if
// it does not.
func differs(a Action) DifferenceKind {
	isKnown := a.IsThere()
	switch {
	case a.Reason == Held, a.Kind == Copy && a.SetAside != nil:
		return DiffersQuarantined
	case a.Kind == Copy && a.Present == nil: // also of an object whose key has no counterpart at the destination
		return DiffersMissing
	case !a.Looked:
		return ""
	case a.Kind != Copy && a.Reason != Unchanged:
		return differsUnexpected(a, isKnown)
	case a.Present == nil:
		return DiffersMissing
	case !isKnown && a.Previous == nil:
		return DiffersForeign
	case !isKnown:
		return DiffersOverwritten
	}
	switch a.Reason { //nolint:exhaustive // the other reasons show no difference
	case Unchanged, Unproven:
		return ""
	case WrongKey:
		return DiffersKey
	case WrongClass:
		return DiffersClass
	default:
		return DiffersStale
	}
}

// differsUnexpected is differs for a key without an object to copy. The copy of a former object is kept,
// unless the plan deletes it.
func differsUnexpected(a Action, isKnown bool) DifferenceKind {
	isKept := a.Reason == Gone && a.Kind == Skip && (a.Previous != nil || a.Inherited != nil)
	switch {
	case a.Present != nil && !isKnown:
		return DiffersForeign
	case a.Present == nil && isKept:
		return DiffersMissing
	default:
		return ""
	}
}

// Copied returns the entry of the copy that must be inspected: as recorded, with the ETag of the object that
// is there.
func (a Action) Copied() record.Entry {
	entry := *a.Previous
	entry.DestinationETag = a.Present.ETag
	return entry
}

// isPending reports whether the next pass mends a difference whether the destination is verified or not.
func (a Action) isPending(kind DifferenceKind) bool {
	switch kind { //nolint:exhaustive // a pass detects no other kind
	case DiffersMissing, DiffersStale, DiffersClass:
		return a.Kind == Copy && a.Reason != Unproven
	default:
		return false
	}
}

func (a Action) size() int64 {
	if a.Object.ETag == "" && a.Present != nil {
		return a.Present.Size
	}
	return a.Object.Size
}

// detail describes a difference that a listing shows.
func (a Action) detail(kind DifferenceKind) string {
	switch kind { //nolint:exhaustive // the other kinds need no detail
	case DiffersMissing:
		if a.Reason == Gone {
			return "the source object is gone, and its copy too"
		}
	case DiffersOverwritten:
		return fmt.Sprintf("the copy had ETag %s; the object there has %s", a.Previous.DestinationETag, described(*a.Present))
	case DiffersForeign:
		return "the object there has " + described(*a.Present)
	case DiffersStale:
		if a.Previous != nil {
			return fmt.Sprintf("copied from ETag %s; the source has %s", a.Previous.Source.ETag, described(a.Object))
		}
	case DiffersKey:
		return "encrypted with " + a.Previous.KeyARN
	case DiffersQuarantined:
		return a.SetAside.Reason
	}
	return ""
}

func described(o listing.Object) string {
	return fmt.Sprintf("ETag %s, %d bytes, of %s", o.ETag, o.Size, o.LastModified.UTC().Format(time.RFC3339))
}
