package plan

import (
	"slices"
	"strings"
	"time"

	"syncd/internal/listing"
)

// Pattern matches keys. A glob of the configuration is a Pattern.
type Pattern interface {
	Match(key string) bool
}

// Filter selects the objects of a source that belong to the mapping. The zero Filter selects all.
type Filter struct {
	// Prefix is removed from a key before the rest of the key is compared with the patterns.
	Prefix string
	// Include is a list of patterns. A key must match at least one of them; an empty list includes
	// all keys.
	Include []Pattern
	// Exclude is a list of patterns. A key that matches one of them is excluded, even if a pattern
	// of Include also matches the key.
	Exclude []Pattern
	// MinSize and MaxSize are inclusive bounds in bytes; a MaxSize of 0 means no bound.
	MinSize, MaxSize int64
	// ModifiedAfter and ModifiedBefore are inclusive bounds of LastModified; zero times mean no
	// bound.
	ModifiedAfter, ModifiedBefore time.Time
}

// Reject returns why the object does not belong to the mapping, or "" if it does.
func (f Filter) Reject(o listing.Object) Reason {
	key := strings.TrimPrefix(o.Key, f.Prefix)
	matches := func(p Pattern) bool { return p.Match(key) }
	switch {
	case slices.ContainsFunc(f.Exclude, matches):
		return Excluded
	case len(f.Include) > 0 && !slices.ContainsFunc(f.Include, matches):
		return NotIncluded
	case o.Size < f.MinSize:
		return TooSmall
	case f.MaxSize > 0 && o.Size > f.MaxSize:
		return TooLarge
	case !f.ModifiedAfter.IsZero() && o.LastModified.Before(f.ModifiedAfter):
		return TooOld
	case !f.ModifiedBefore.IsZero() && o.LastModified.After(f.ModifiedBefore):
		return TooNew
	default:
		return ""
	}
}
