package plan

import (
	"iter"
	"strings"

	"syncd/internal/checkpoint"
	"syncd/internal/listing"
)

// Rules are what decides between copy and skip.
type Rules struct {
	// Filter says which objects belong to the mapping.
	Filter Filter
	// KeyARN is the KMS key the copies must lie under; "" accepts any.
	KeyARN string
	// PlaceSince is the first pass that copied between the buckets and prefixes of today. What an earlier one copied lies
	// elsewhere.
	PlaceSince int64
	// ClassSince is the first pass that copied into the storage class of today.
	ClassSince int64
}

// Actions is a plan: one action for each key, in key order, ended by the first error.
type Actions = iter.Seq2[Action, error]

// Diff merges the source's listing with the ledger's entries and yields one action for each key of either, in key order.
//
// Both inputs must ascend by key. The sequence ends after the first error of either input.
func Diff(source iter.Seq2[listing.Object, error], ledger iter.Seq2[checkpoint.Entry, error], rules Rules) Actions {
	return func(yield func(Action, error) bool) {
		next, stop := iter.Pull2(ledger)
		defer stop()
		known := cursor{next: next, rules: rules}
		known.advance()
		for object, err := range source {
			if err != nil {
				yield(Action{}, err)
				return
			}
			if !known.goneUntil(object.Key, yield) || !yield(rules.decide(object, known.take(object.Key)), nil) {
				return
			}
		}
		known.goneUntil("", yield)
	}
}

// cursor walks the ledger's side of the merge, one entry ahead.
type cursor struct {
	rules Rules
	next  func() (checkpoint.Entry, error, bool)
	entry checkpoint.Entry
	err   error
	more  bool
}

func (c *cursor) advance() { c.entry, c.err, c.more = c.next() }

// goneUntil yields the entries before key, all that are left for "". It reports whether the plan goes on.
func (c *cursor) goneUntil(key string, yield func(Action, error) bool) bool {
	for c.more && c.err == nil && (key == "" || c.entry.Key < key) {
		gone := Action{Kind: Skip, Reason: Gone, Object: listing.Object{Key: c.entry.Key}}
		if entry := c.entry; !c.rules.elsewhere(entry) {
			gone.Previous = &entry
		}
		if !yield(gone, nil) {
			return false
		}
		c.advance()
	}
	if c.more && c.err != nil {
		yield(Action{}, c.err)
		return false
	}
	return true
}

// take returns the entry of key, or nil when the ledger has none.
func (c *cursor) take(key string) *checkpoint.Entry {
	if !c.more || c.entry.Key != key {
		return nil
	}
	entry := c.entry
	c.advance()
	return &entry
}

func (r Rules) decide(o listing.Object, previous *checkpoint.Entry) Action {
	kind, reason := Copy, Missing
	moved := previous != nil && r.elsewhere(*previous)
	if moved {
		previous = nil
	}
	switch rejected := r.Filter.Reject(o); {
	case rejected != "":
		kind, reason = Skip, rejected
	case moved:
		reason = Moved
	case previous == nil:
	case !sameVersion(o, previous):
		reason = Changed
	case r.KeyARN != "" && !SameKey(previous.KeyARN, r.KeyARN):
		reason = WrongKey
	case previous.Pass < r.ClassSince:
		reason = WrongClass
	default:
		kind, reason = Skip, Unchanged
	}
	return Action{Kind: kind, Reason: reason, Object: o, Previous: previous}
}

// elsewhere reports whether the entry is of a copy that lies where the mapping no longer writes. It says nothing of what
// lies there now, so it is no previous copy of anything.
func (r Rules) elsewhere(e checkpoint.Entry) bool { return e.Pass < r.PlaceSince }

// SameKey reports whether the KMS key that a service answered is the configured one. It accepts the ARN form of a key that
// an S3-compatible service lets be configured by its bare name.
func SameKey(answered, configured string) bool {
	if answered == configured {
		return answered != ""
	}
	bare := configured != "" && !strings.HasPrefix(configured, "arn:")
	return bare && (strings.HasSuffix(answered, ":"+configured) || strings.HasSuffix(answered, "/"+configured))
}

// sameVersion compares the object with the source version the ledger recorded, never with the copy: a copy's ETag and
// time are its own. LastModified counts because an overwrite with the same bytes may carry other metadata.
func sameVersion(o listing.Object, e *checkpoint.Entry) bool {
	return o.ETag == e.SourceETag && o.Size == e.SourceSize && o.LastModified.Equal(e.SourceLastModified)
}
