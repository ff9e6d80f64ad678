package copier

import (
	"time"

	"syncd/internal/listing"
)

// Result is a copy that the destination has confirmed.
type Result struct {
	// Object is the copied source version: the listed version, or a newer version if the object was
	// overwritten meanwhile.
	Object listing.Object
	// DestinationKey, DestinationETag and DestinationVersionID identify the copy. The version ID is
	// empty without versioning.
	DestinationKey, DestinationETag, DestinationVersionID string
	// KeyARN is the KMS key of the copy, as the service reports it.
	KeyARN string
	// BucketKey is true if an S3 Bucket Key was used.
	BucketKey bool
	// Checksum is the checksum in the response, as "algorithm:base64"; empty if there is none.
	Checksum string
	// Parts is the number of parts, 0 for a copy in one request. Resumed is the number of these
	// parts that an earlier process made.
	Parts, Resumed int
	// CopiedAt is when the response arrived.
	CopiedAt time.Time
	// Adopted means that nothing was copied, because the object at the destination already was a
	// copy of the source object.
	Adopted bool
	// Ours means that the adopted object must be a copy that syncd made but could not record.
	Ours bool
	// Unconditional is why the copy was written without a condition: ConditionsIgnored or
	// ConditionsDenied. It is "" if the copy was written with a condition.
	Unconditional string
	// Notes are remarks on a successful copy: Note constants of this package and of package upload,
	// each at most once. A server-side copy in one request has no notes unless it reads the
	// source's head.
	Notes []string
}

// The values of Result.Unconditional: why a copy was written without a condition.
const (
	// ConditionsIgnored means that the service ignores conditions or does not support them.
	ConditionsIgnored = "the service does not honour If-Match and If-None-Match"
	// ConditionsDenied means that the role has no permission to send If-Match.
	ConditionsDenied = "s3:GetObject is denied on the destination's objects; If-Match needs it"
)

// The notes of a Result.
const (
	// NoteRedirectDropped means that the source has a website redirect, which is not copied.
	NoteRedirectDropped = "website_redirect_dropped"
	// NoteRetentionCut means that the copy's retention was shortened to Options.ObjectLockMax and
	// ends before the retention of its source.
	NoteRetentionCut = "retention_shortened"
)
