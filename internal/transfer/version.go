package transfer

import (
	"strings"
	"time"
)

// Version identifies one version of an object by everything that a service says of it. It is
// compared as a whole: an overwrite with the same bytes has the ETag of the version before and may
// carry other metadata, and a restored version has the date of its own.
type Version struct {
	// ETag is the entity tag as the service gives it, quotes included. It is opaque: under SSE-KMS
	// it is not a digest, and it never compares with the ETag of a copy.
	ETag string `json:"etag"`
	// Size is the length in bytes.
	Size int64 `json:"size"`
	// LastModified is the service's time, to the second or finer; for a multipart upload the time
	// it began.
	LastModified time.Time `json:"last_modified"`
	// ID is the version id, "" where it is not known: listings do not show it.
	ID string `json:"version_id,omitempty"`
}

// Same reports whether both are the same version, as far as what is known of both says. Times are
// compared to the second where one of them has no finer part: listings of some services show
// milliseconds, and the headers of HTTP never do (RFC 9110, section 5.6.7).
func (v Version) Same(o Version) bool {
	return SameETag(v.ETag, o.ETag) && v.Size == o.Size && sameTime(v.LastModified, o.LastModified) &&
		(v.ID == "" || o.ID == "" || v.ID == o.ID)
}

// SameETag compares entity tags, which some services quote in one place and not in another.
func SameETag(a, b string) bool { return strings.Trim(a, `"`) == strings.Trim(b, `"`) }

func sameTime(a, b time.Time) bool {
	if a.Nanosecond() == 0 || b.Nanosecond() == 0 {
		return a.Unix() == b.Unix()
	}
	return a.Equal(b)
}
