package store

import (
	"strings"

	"syncd/internal/awsfake/wire"
)

// Conditions are If-Match and If-None-Match of a write ("Conditional writes", Amazon S3 User
// Guide).
type Conditions struct{ Match, NoneMatch string }

func (w Conditions) check(key string, current *Object) error {
	switch {
	case w.NoneMatch != "" && current != nil:
		return wire.ErrPreconditionFailed("If-None-Match")
	case w.Match != "" && current == nil:
		return wire.ErrNoSuchKey(key)
	case w.Match != "" && !SameETag(w.Match, current.ETag):
		return wire.ErrPreconditionFailed("If-Match")
	}
	return nil
}

// SameETag reports whether a condition's ETag, quoted or not, matches an object's. "*" matches any.
func SameETag(condition, etag string) bool {
	return condition == "*" || strings.Trim(condition, `"`) == etag
}
