package plan

import (
	"time"

	"syncd/internal/awserr"
	"syncd/internal/checkpoint/record"
)

// Reasons why an object was set aside that are no class of an error: [record.Quarantined] holds one
// of these words, or the text of an [awserr.Class]. They are label values and summary fields, so
// they are part of the public surface.
const (
	// WrongKeyCopied is a copy that the destination put under another KMS key than the configured
	// one.
	WrongKeyCopied = "wrong_key"
	// ChecksumDiffers is a copy whose content is not that of its source.
	ChecksumDiffers = "checksum"
	// KeyUnrepresentable is an object whose key the destination cannot hold.
	KeyUnrepresentable = "key_unrepresentable"
	// HiddenMetadata is an object with metadata that no header can show, which a copy in parts
	// would lose.
	HiddenMetadata = "hidden_metadata"
	// NoETag is an object that is listed without an ETag, so that a copy cannot be pinned to a
	// version.
	NoETag = "no_etag"
	// SSEC is an object under a key that only its owner has (SSE-C).
	SSEC = "sse_c"
	// TagOverflow is an object whose tags do not fit where a copy takes them.
	TagOverflow = "tag_overflow"
	// ObjectLocked is a copy that is refused because the one before is retained or under a legal
	// hold.
	ObjectLocked = "object_locked"
	// Foreign is an object whose key at the destination holds what syncd neither wrote nor may
	// adopt.
	Foreign = "foreign"
	// Inconsistent is an object that the source lists and says is not there.
	Inconsistent = "inconsistent"
	// BadSignature is an object of which the service calls a request wrongly signed while it takes
	// others.
	BadSignature = "signature"
	// Internal is an object that a bug of this program failed on.
	Internal = "internal"
)

// backoff is how long an object waits between attempts: not at all after the first free ones, then
// first, then twice as long each time, longest at most.
type backoff struct {
	free           int64
	first, longest time.Duration
}

// after returns the wait after so many attempts, of which there was one at least.
func (b backoff) after(attempts int64) time.Duration {
	attempts = max(attempts, 1) - b.free
	if attempts < 1 {
		return 0
	}
	wait := b.first
	for ; attempts > 1 && wait > 0 && wait < b.longest; attempts-- {
		wait *= 2
	}
	return min(wait, b.longest)
}

// RetryAt returns when an object that was set aside is due to be tried again, by its reason and the
// number of attempts so far. It says nothing of an object whose source version has changed since,
// which is due at once.
//
//   - At once, in every pass: what passes by itself (throttling, faults of the network and the service, a source that
//     changed under way, a race, a pass that was cut short, a session that was renewed since).
//   - 5 minutes, doubling up to 6 hours: what someone mends in a policy or at a key (denied, key_disabled, no_key), and no_etag
//     and inconsistent, which are faults of the source's service. An operator who has mended it should see it copied within the shift.
//   - 1 hour, doubling up to 24 hours: what takes another configuration, service or object (foreign, wrong_key, checksum,
//     tag_overflow, unsupported, invalid, hidden_metadata, signature). An attempt may cost a whole copy.
//   - 6 hours, doubling up to 7 days: what waits for the owner (archived, sse_c). A restore takes up to 48 hours from
//     S3 Glacier Deep Archive (Amazon S3 User Guide, "Understanding archive retrieval options").
//   - 24 hours, doubling up to 30 days: what only a new version of the object changes, or a date (too_large,
//     key_unrepresentable, object_locked).
//   - At once after the first attempt, then 1 minute, doubling up to 6 hours: unknown, internal (which may have been a race), what
//     ends a mapping but for the proof that it is about one object (credentials, no_bucket, wrong_region), and every reason
//     that this version does not know.
func RetryAt(q record.Quarantined) time.Time {
	return q.LastAt.Add(backoffOf(q.Reason).after(q.Attempts))
}

func backoffOf(reason string) backoff {
	const day = 24 * time.Hour
	switch reason {
	case string(awserr.Throttled), string(awserr.ThrottledKMS), string(awserr.Transient), string(awserr.Precondition),
		string(awserr.Conflict), string(awserr.Canceled), string(awserr.Expired), string(awserr.Gone):
		return backoff{}
	case string(awserr.Denied), string(awserr.KeyDisabled), string(awserr.NoKey), NoETag, Inconsistent:
		return backoff{0, 5 * time.Minute, 6 * time.Hour}
	case Foreign, WrongKeyCopied, ChecksumDiffers, TagOverflow, HiddenMetadata, BadSignature, string(awserr.Unsupported), string(awserr.Invalid):
		return backoff{0, time.Hour, day}
	case string(awserr.Archived), SSEC:
		return backoff{0, 6 * time.Hour, 7 * day}
	case string(awserr.TooLarge), KeyUnrepresentable, ObjectLocked:
		return backoff{0, day, 30 * day}
	default:
		return backoff{1, time.Minute, 6 * time.Hour}
	}
}
