package transfer

import (
	"strings"
	"time"
)

// Version identifies one version of an object by all fields that a service reports. All fields are
// compared, because no single one is enough: an overwrite with the same bytes has the same ETag but
// can have other metadata, and a restored version differs only in its date.
type Version struct {
	// ETag is the entity tag from the service, including quotes. It is opaque: with SSE-KMS it is
	// not a digest, and it must not be compared with the ETag of a copy.
	ETag string `json:"etag"`
	// Size is the length in bytes.
	Size int64 `json:"size"`
	// LastModified is the time of the write, as the service reports it, in whole seconds or a finer
	// unit. For a multipart upload it is when the upload began.
	LastModified time.Time `json:"last_modified"`
	// ID is the version id, or "" if not known: listings do not include it.
	ID string `json:"version_id,omitempty"`
}

// Same reports whether v and o are the same version, as far as their fields show. If one of the
// times has no fraction of a second, only whole seconds are compared: listings of some services
// have milliseconds, but HTTP headers never do (RFC 9110, section 5.6.7).
func (v Version) Same(o Version) bool {
	return SameETag(v.ETag, o.ETag) && v.Size == o.Size && sameTime(v.LastModified, o.LastModified) &&
		(v.ID == "" || o.ID == "" || v.ID == o.ID)
}

// SameETag reports whether two entity tags are equal, ignoring quotes, which some services use
// inconsistently.
func SameETag(a, b string) bool { return strings.Trim(a, `"`) == strings.Trim(b, `"`) }

func sameTime(a, b time.Time) bool {
	if a.Nanosecond() == 0 || b.Nanosecond() == 0 {
		return a.Unix() == b.Unix()
	}
	return a.Equal(b)
}
