package awsfake

import "strings"

// writeConditions are If-Match and If-None-Match of a write ("Conditional writes", Amazon S3 User Guide).
type writeConditions struct{ match, noneMatch string }

func (w writeConditions) check(key string, current *object) error {
	switch {
	case w.noneMatch != "" && current != nil:
		return errPreconditionFailed("If-None-Match")
	case w.match != "" && current == nil:
		return errNoSuchKey(key)
	case w.match != "" && !sameETag(w.match, current.etag):
		return errPreconditionFailed("If-Match")
	}
	return nil
}

// sameETag compares a condition's ETag, quoted or not, with an object's; "*" is any.
func sameETag(condition, etag string) bool {
	return condition == "*" || strings.Trim(condition, `"`) == etag
}
