package awsfake

import (
	"net/http"
	"time"
)

// readConditions evaluates If-Match and its kin, or with a prefix those of a copy source, which fail
// with 412 where a GET answers 304 ("CopyObject", Amazon S3 API Reference).
func readConditions(h http.Header, prefix string, o *object) error {
	match, noneMatch := h.Get(prefix+"If-Match"), h.Get(prefix+"If-None-Match")
	unmodified, errU := http.ParseTime(h.Get(prefix + "If-Unmodified-Since"))
	modified, errM := http.ParseTime(h.Get(prefix + "If-Modified-Since"))
	if match != "" && !sameETag(match, o.etag) {
		return errPreconditionFailed(prefix + "If-Match")
	}
	if match == "" && errU == nil && o.modified.After(unmodified) {
		return errPreconditionFailed(prefix + "If-Unmodified-Since")
	}
	failed := ""
	if noneMatch != "" && sameETag(noneMatch, o.etag) {
		failed = prefix + "If-None-Match"
	} else if noneMatch == "" && errM == nil && !o.modified.Truncate(time.Second).After(modified) {
		failed = prefix + "If-Modified-Since"
	}
	switch {
	case failed == "":
		return nil
	case prefix != "":
		return errPreconditionFailed(failed)
	}
	return refuse(http.StatusNotModified, "NotModified", "Not Modified").withHeader("Etag", `"`+o.etag+`"`)
}
