package plan

import (
	"slices"
	"strings"
	"time"

	"syncd/internal/listing"
)

// Pattern matches keys; a glob of the configuration is one.
type Pattern interface {
	Match(key string) bool
}

// Filter says which objects of a source belong to the mapping. The zero Filter takes all.
type Filter struct {
	// Prefix is taken off a key before it is matched.
	Prefix string
	// Include holds the patterns of which one must match; none means all keys.
	Include []Pattern
	// Exclude holds the patterns of which none may match; it wins over Include.
	Exclude []Pattern
	// MinSize and MaxSize are inclusive bounds in bytes; a MaxSize of 0 means no bound.
	MinSize, MaxSize int64
	// ModifiedAfter and ModifiedBefore are inclusive bounds of LastModified; zero times mean no
	// bound.
	ModifiedAfter, ModifiedBefore time.Time
}

// Reject returns why the object does not belong to the mapping, or "" when it does.
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
