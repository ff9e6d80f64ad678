package transfer

import (
	"slices"
	"time"
)

// Settings define how the objects of one mapping are copied: by which method, with which part size,
// and with which properties. The zero Settings copy server-side, with tags and metadata, to
// STANDARD.
type Settings struct {
	// Relay means that content passes through this process, in parts of at most RelayMemory bytes.
	// A RelayMemory of 0 means no limit.
	Relay       bool
	RelayMemory int64
	// MultipartAbove is the size in bytes above which an object is copied with a multipart upload,
	// 5 MiB to [MaxCopyObject]; 0 means [MaxCopyObject]. S3 cannot copy ranges of an object of up
	// to 5 MiB. A relay uses the threshold [DefaultRelayPart] instead.
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
	// ObjectLock means that retention, event hold and legal hold are copied. S3 shows them only to
	// a role with the permissions s3:GetObjectRetention and s3:GetObjectLegalHold; otherwise they
	// are not copied. ObjectLock needs a HEAD request for each object, and Object Lock must be
	// enabled on the destination. Expired retention is not copied.
	ObjectLock bool
	// ObjectLockMax limits the retention of a copy, counted from the time of the copy, and the
	// retention that begins at the end of an event hold; 0 means no limit.
	ObjectLockMax time.Duration
	// ACL is the canned ACL of copies, such as "bucket-owner-full-control"; empty sends none.
	ACL string
	// StorageClass is the storage class of copies; empty means STANDARD.
	StorageClass string
	// KeepStorageClass means that copies get the storage class of their source instead of
	// StorageClass, or STANDARD if objects cannot be written directly to the source's class.
	KeepStorageClass bool
}

// Limits of tags and annotations.
const (
	// MaxTaggingHeader is the maximum length in bytes of a tagging header that syncd sends. S3
	// limits the size of request headers, and ten tags with keys of 128 and values of 256 non-ASCII
	// characters exceed that limit by far when encoded (Amazon S3 User Guide, "Object tagging").
	MaxTaggingHeader = 2 << 10
	// MaxAnnotation is the maximum size of an annotation in bytes (Amazon S3 API Reference,
	// PutObjectAnnotation: 1 MiB), and MaxAnnotations is how many an object can have
	// (ListObjectAnnotations: 1,000).
	MaxAnnotation  = 1 << 20
	MaxAnnotations = 1000
)

// ChoosesTags reports whether only some tags are copied, which CopyObject does not support.
func (s Settings) ChoosesTags() bool { return !s.OmitTags && s.OnlyTags != nil }

// ReadsTags reports whether a copy must read the source's tags. InParts means that the copy is a
// multipart upload. Uploads do not inherit tags, and CopyObject copies all tags or none.
func (s Settings) ReadsTags(inParts bool) bool {
	return !s.OmitTags && (inParts || s.Relay || s.OnlyTags != nil)
}

// ReadsHead reports whether a copy must send a HEAD request for the source. InParts means that the
// copy is a multipart upload. A relay without parts gets the same data from the GET response,
// except for object lock.
func (s Settings) ReadsHead(inParts bool) bool {
	return s.ObjectLock || inParts && (s.Relay || !s.OmitMetadata)
}

// ReadsAnnotations reports whether a copy must list the source's annotations. Only CopyObject
// copies annotations without separate requests. InParts means that the copy is a multipart upload.
func (s Settings) ReadsAnnotations(inParts bool) bool { return s.Annotations && (inParts || s.Relay) }

// standardClass is the class of an object without an explicit class.
const standardClass = "STANDARD"

// Classes returns the storage classes that PutObject and CopyObject accept for a general purpose
// bucket, so that copies can be written to them.
func Classes() []string {
	return []string{
		standardClass, "STANDARD_IA", "ONEZONE_IA", "INTELLIGENT_TIERING", "GLACIER_IR", "GLACIER", "DEEP_ARCHIVE", "REDUCED_REDUNDANCY",
	}
}

// ClassOf returns the storage class for the copy of an object whose class is source. It returns ""
// for the service's default class.
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

// HasClass reports whether class, from a response, is the configured class of copies. An empty
// class is STANDARD, which S3 omits from headers. With KeepStorageClass, every class counts as
// configured.
func (s Settings) HasClass(class string) bool {
	isStandard := func(class string) bool { return class == "" || class == standardClass }
	return s.KeepStorageClass || class == s.StorageClass || isStandard(class) && isStandard(s.StorageClass)
}
