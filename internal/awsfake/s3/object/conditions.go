package object

import (
	"net/http"
	"time"

	"syncd/internal/awsfake/s3/store"
	"syncd/internal/awsfake/wire"
)

// readConditions evaluates If-Match and the other conditional headers. With a prefix it evaluates
// the headers for the source of a copy, which fail with 412 where a GET returns 304 ("CopyObject",
// Amazon S3 API Reference).
func readConditions(h http.Header, prefix string, o *store.Object) error {
	match, noneMatch := h.Get(prefix+"If-Match"), h.Get(prefix+"If-None-Match")
	unmodified, errU := http.ParseTime(h.Get(prefix + "If-Unmodified-Since"))
	modified, errM := http.ParseTime(h.Get(prefix + "If-Modified-Since"))
	if match != "" && !store.SameETag(match, o.ETag) {
		return wire.ErrPreconditionFailed(prefix + "If-Match")
	}
	if match == "" && errU == nil && o.Modified.After(unmodified) {
		return wire.ErrPreconditionFailed(prefix + "If-Unmodified-Since")
	}
	failed := ""
	if noneMatch != "" && store.SameETag(noneMatch, o.ETag) {
		failed = prefix + "If-None-Match"
	} else if noneMatch == "" && errM == nil && !o.Modified.Truncate(time.Second).After(modified) {
		failed = prefix + "If-Modified-Since"
	}
	switch {
	case failed == "":
		return nil
	case prefix != "":
		return wire.ErrPreconditionFailed(failed)
	}
	return wire.Refuse(http.StatusNotModified, "NotModified", "Not Modified").WithHeader("Etag", `"`+o.ETag+`"`)
}
