package transfer

import (
	"slices"
	"time"
)

// Settings define how the objects of one mapping are copied: by which method, with which part size,
// and with which properties. The zero Settings copy server-side, with tags and metadata, to
// STANDARD.
type Settings struct {
	// Relay means that content passes through this process, in parts of at most RelayMemory bytes;
	// 0 means no limit.
	Relay       bool
	RelayMemory int64
	// MultipartAbove is the size in bytes above which an object is copied with a multipart upload,
	// 5 MiB to [MaxCopyObject]; 0 means [MaxCopyObject]. S3 cannot copy ranges of an object of up
	// to 5 MiB. A relay has its own threshold, [DefaultRelayPart].
	MultipartAbove int64
	// PartSize is the configured part size in bytes; 0 means that it depends on the object's size.
	PartSize int64

	// OmitTags and OmitMetadata mean that tags or metadata are not copied.
	OmitTags, OmitMetadata bool
	// OnlyTags are the exact keys of the tags that are copied; nil means all. CopyObject copies all
	// tags or none, so the tags of each object are read first and then set on the copy.
	OnlyTags []string
	// Annotations means that annotations are copied, each of which is billed like a PUT (Amazon S3
	// API Reference, CopyObject). A relay and a multipart copy list them once per object.
	Annotations bool
	// ObjectLock means that retention, event hold and legal hold are copied, if the role may read
	// them (s3:GetObjectRetention, s3:GetObjectLegalHold); S3 does not show them otherwise. It
	// needs a HEAD request for each object, and the destination needs Object Lock. Expired
	// retention is not copied.
	ObjectLock bool
	// ObjectLockMax limits how long retention lasts after the copy, and how long the retention
	// lasts that starts when an event hold ends; 0 means no limit.
	ObjectLockMax time.Duration
	// ACL is the canned ACL of copies, as "bucket-owner-full-control"; empty sends none.
	ACL string
	// StorageClass is the storage class of copies; empty means STANDARD.
	StorageClass string
	// KeepStorageClass means that copies get the class of their source instead, or STANDARD if
	// objects cannot be written to that class directly.
	KeepStorageClass bool
}

// Limits of tags and annotations.
const (
	// MaxTaggingHeader is the maximum length in bytes of a tagging header that is sent: S3 limits
	// the headers of a request, but ten tags of 128 and 256 non-ASCII characters need far more when
	// encoded (Amazon S3 User Guide, "Object tagging").
	MaxTaggingHeader = 2 << 10
	// MaxAnnotation is the maximum size of an annotation in bytes (Amazon S3 API Reference,
	// PutObjectAnnotation: 1 MiB), and MaxAnnotations is how many an object can have
	// (ListObjectAnnotations: 1,000).
	MaxAnnotation  = 1 << 20
	MaxAnnotations = 1000
)

// ChoosesTags reports whether only some tags are copied, which CopyObject does not support.
func (s Settings) ChoosesTags() bool { return !s.OmitTags && s.OnlyTags != nil }

// ReadsTags reports whether a copy, in parts or not, needs to read the source's tags: an upload
// does not inherit them, and CopyObject copies all tags or none.
func (s Settings) ReadsTags(inParts bool) bool {
	return !s.OmitTags && (inParts || s.Relay || s.OnlyTags != nil)
}

// ReadsHead reports whether a copy, in parts or not, needs a HEAD of the source. A relay without
// parts gets the same data from the GET response, except for object lock.
func (s Settings) ReadsHead(inParts bool) bool {
	return s.ObjectLock || inParts && (s.Relay || !s.OmitMetadata)
}

// ReadsAnnotations reports whether a copy, in parts or not, needs to list the source's annotations:
// only CopyObject copies them.
func (s Settings) ReadsAnnotations(inParts bool) bool { return s.Annotations && (inParts || s.Relay) }

// standardClass is the class of an object without an explicit class.
const standardClass = "STANDARD"

// Classes returns the storage classes that copies can be written to: the ones that PutObject and
// CopyObject accept for a general purpose bucket.
func Classes() []string {
	return []string{
		standardClass, "STANDARD_IA", "ONEZONE_IA", "INTELLIGENT_TIERING", "GLACIER_IR", "GLACIER", "DEEP_ARCHIVE", "REDUCED_REDUNDANCY",
	}
}

// ClassOf returns the storage class of the copy of an object with class source, or "" for the
// service's default.
func (s Settings) ClassOf(source string) string {
	switch {
	case !s.KeepStorageClass:
		return s.StorageClass
	case slices.Contains(Classes(), source):
		return source
	default:
		return standardClass
	}
}

// HasClass reports whether class is the class that copies get. S3 omits STANDARD in headers.
func (s Settings) HasClass(class string) bool {
	isStandard := func(class string) bool { return class == "" || class == standardClass }
	return s.KeepStorageClass || class == s.StorageClass || isStandard(class) && isStandard(s.StorageClass)
}
