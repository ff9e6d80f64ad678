package plan

import (
	"time"

	"syncd/internal/awserr"
	"syncd/internal/checkpoint/record"
)

// Quarantine reasons that are not an error class. The reason of a [record.Quarantined] is one of
// these words or the text of an [awserr.Class]. Reasons are label values and summary fields, so
// they are part of the public interface.
const (
	// WrongKeyCopied is a copy that the destination encrypted with another KMS key than the
	// configured one.
	WrongKeyCopied = "wrong_key"
	// ChecksumDiffers is a copy whose content differs from its source.
	ChecksumDiffers = "checksum"
	// KeyUnrepresentable is an object whose destination key is invalid.
	KeyUnrepresentable = "key_unrepresentable"
	// HiddenMetadata is an object with metadata that cannot be sent in headers and that a multipart
	// copy would therefore lose.
	HiddenMetadata = "hidden_metadata"
	// NoETag is an object listed without an ETag, so that a copy cannot request exactly the listed
	// version.
	NoETag = "no_etag"
	// SSEC is an object encrypted with a customer-provided key (SSE-C).
	SSEC = "sse_c"
	// TagOverflow is an object whose tags cannot be set on a copy.
	TagOverflow = "tag_overflow"
	// ObjectLocked is a copy that is refused because the previous copy is under retention or a
	// legal hold.
	ObjectLocked = "object_locked"
	// Foreign is an object whose destination key contains another object, which syncd did not write
	// and must not adopt.
	Foreign = "foreign"
	// Inconsistent is an object that the source lists, but reports as absent when the object is
	// read.
	Inconsistent = "inconsistent"
	// BadSignature is an object for which the service rejects the signature of a request while it
	// accepts other requests.
	BadSignature = "signature"
	// Internal is an object whose copy failed because of a bug in syncd.
	Internal = "internal"
)

// backoff defines how long an object waits between attempts. The object does not wait after the
// first attempts, whose number is the field free. After the next attempt, the object waits for the
// duration in the field first. The wait then doubles with each attempt, up to longest.
type backoff struct {
	free           int64
	first, longest time.Duration
}

// after returns the wait after the given number of attempts, which is at least 1.
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

// RetryAt returns when an object in quarantine is due for another attempt, by its reason and the
// number of attempts so far. If its source version has changed since, it is due at once and RetryAt
// does not apply.
//
//   - At once, in every pass: temporary conditions (throttling, faults of the network and the
//     service, a source that changed during the copy, a race, an interrupted pass, a session that
//     was renewed since).
//   - 5 minutes, doubling up to 6 hours: what an operator fixes in a policy or a KMS key (denied,
//     key_disabled, no_key), and no_etag and inconsistent, which are faults of the source's
//     service. An operator who has fixed it should see the object copied within the shift.
//   - 1 hour, doubling up to 24 hours: what needs another configuration, service or object
//     (foreign, wrong_key, checksum, tag_overflow, unsupported, invalid, hidden_metadata,
//     signature). An attempt can cost as much as a whole copy.
//   - 6 hours, doubling up to 7 days: what the owner must change (archived, sse_c). A restore takes
//     up to 48 hours from S3 Glacier Deep Archive (Amazon S3 User Guide, "Understanding archive
//     retrieval options").
//   - 24 hours, doubling up to 30 days: what only a new version of the object or the passage of
//     time changes (too_large, key_unrepresentable, object_locked).
//   - At once after the first attempt, then 1 minute, doubling up to 6 hours: unknown, internal
//     (which may have been a race), errors that would end a mapping but were proved to affect one
//     object (credentials, no_bucket, wrong_region), and every reason that is unknown to this version.
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
