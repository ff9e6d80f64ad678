package copier

import (
	"time"

	"syncd/internal/listing"
)

// Result is a copy that the destination has confirmed.
type Result struct {
	// Object is the source version that was copied: the listed one, or a newer one when it was
	// overwritten meanwhile.
	Object listing.Object
	// DestinationKey, DestinationETag and DestinationVersionID name the copy; the version is empty
	// without versioning.
	DestinationKey, DestinationETag, DestinationVersionID string
	// KeyARN is the KMS key that the service says the copy is encrypted with.
	KeyARN string
	// BucketKey says that an S3 Bucket Key was used.
	BucketKey bool
	// Checksum is the checksum that the service answered, as "algorithm:base64"; empty when it
	// answered none.
	Checksum string
	// Parts is the number of parts, 0 for a copy in one piece; Resumed is how many of them an
	// earlier process had made.
	Parts, Resumed int
	// CopiedAt is when the answer came.
	CopiedAt time.Time
	// Adopted says that nothing was copied: what the destination holds already is the object's
	// copy.
	Adopted bool
	// Unconditional is why the copy was written without a condition, "" where it had one:
	// ConditionsIgnored or ConditionsDenied.
	Unconditional string
	// Notes say what is worth knowing although the copy succeeded: the Note constants, and those of
	// an upload, each at most once. A server-side copy in one piece, which never looks at its
	// source, has none.
	Notes []string
}

// Why a copy is written without a condition.
const (
	// ConditionsIgnored says that the service takes none, or does not look at them.
	ConditionsIgnored = "the service does not honour If-Match and If-None-Match"
	// ConditionsDenied says that the role may not send If-Match.
	ConditionsDenied = "s3:GetObject is denied on the destination's objects, which If-Match needs"
)

// The notes of a Result.
const (
	// NoteRedirectDropped says that the source redirects to a website address, which is not copied.
	NoteRedirectDropped = "website_redirect_dropped"
	// NoteRetentionCut says that the copy's retention ends before its source's, as late as
	// Options.ObjectLockMax allows.
	NoteRetentionCut = "retention_shortened"
)
