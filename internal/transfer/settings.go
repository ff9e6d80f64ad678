package transfer

import (
	"slices"
	"time"
)

// Settings say how the objects of one mapping move: who moves the bytes, in pieces of which size,
// and what travels along with them. The zero Settings are those of a server-side copy with tags and
// metadata into STANDARD.
type Settings struct {
	// Relay says that content passes through this process, in parts of at most RelayMemory bytes; 0
	// bounds them not.
	Relay       bool
	RelayMemory int64
	// MultipartAbove is the size in bytes above which an object is copied in parts, 5 MiB to
	// [MaxCopyObject], which 0 means: S3 copies no parts of an object of up to 5 MiB. A relay has a
	// threshold of its own, [DefaultRelayPart].
	MultipartAbove int64
	// PartSize is the wanted size of a part in bytes; 0 means one chosen by the object's size.
	PartSize int64

	// OmitTags and OmitMetadata leave the source's tags or metadata behind.
	OmitTags, OmitMetadata bool
	// OnlyTags are the keys of the tags that are copied, exactly; nil means all. CopyObject copies
	// all tags or none, so that each object's tags are read for it, and given to the copy.
	OnlyTags []string
	// Annotations gives copies the annotations of their source, each of which is billed like a PUT
	// (Amazon S3 API Reference, CopyObject). A relay and a copy in parts ask for them once an
	// object.
	Annotations bool
	// ObjectLock gives copies the retention, the event hold and the legal hold of their source, as
	// far as this side may read them (s3:GetObjectRetention, s3:GetObjectLegalHold): S3 shows none
	// to those who may not. It costs a HEAD for each object, and the destination needs Object Lock.
	// A retention that has run out is left behind.
	ObjectLock bool
	// ObjectLockMax bounds how long after a copy its retention ends, and how long the retention
	// lasts that begins when an event hold ends; 0 bounds nothing.
	ObjectLockMax time.Duration
	// ACL is the canned ACL of copies, as "bucket-owner-full-control"; empty sends none.
	ACL string
	// StorageClass is the storage class of copies; empty means STANDARD.
	StorageClass string
	// KeepStorageClass gives copies the class of their source instead; STANDARD where that is one
	// that nobody can write into directly.
	KeepStorageClass bool
}

// Limits of what travels along.
const (
	// MaxTaggingHeader is the longest tagging header that is sent, in bytes: S3 bounds what a
	// request may carry in its headers, while ten tags of 128 and 256 characters beyond ASCII
	// encode to far more (Amazon S3 User Guide, "Object tagging").
	MaxTaggingHeader = 2 << 10
	// MaxAnnotation is the longest annotation in bytes (Amazon S3 API Reference,
	// PutObjectAnnotation: 1 MiB), and MaxAnnotations how many an object can have
	// (ListObjectAnnotations: 1,000).
	MaxAnnotation  = 1 << 20
	MaxAnnotations = 1000
)

// ChoosesTags reports whether a copy gets some of its source's tags, for which CopyObject has no
// word.
func (s Settings) ChoosesTags() bool { return !s.OmitTags && s.OnlyTags != nil }

// ReadsTags reports whether the source's tags are read for a copy in parts, or for one in one
// piece: an upload inherits nothing, and CopyObject copies all tags or none.
func (s Settings) ReadsTags(inParts bool) bool {
	return !s.OmitTags && (inParts || s.Relay || s.OnlyTags != nil)
}

// ReadsHead reports whether the source's head is read for a copy in parts, or for one in one piece.
// A relay in one piece has it from the answer with the content, but for the lock.
func (s Settings) ReadsHead(inParts bool) bool {
	return s.ObjectLock || inParts && (s.Relay || !s.OmitMetadata)
}

// ReadsAnnotations reports whether the source's annotations are listed for a copy in parts, or for
// one in one piece: only CopyObject carries them over.
func (s Settings) ReadsAnnotations(inParts bool) bool { return s.Annotations && (inParts || s.Relay) }

// standardClass is the class of whatever names none.
const standardClass = "STANDARD"

// Classes are the storage classes that copies can be written in: of those S3 knows, the ones that
// PutObject and CopyObject accept for a general purpose bucket.
func Classes() []string {
	return []string{
		standardClass, "STANDARD_IA", "ONEZONE_IA", "INTELLIGENT_TIERING", "GLACIER_IR", "GLACIER", "DEEP_ARCHIVE", "REDUCED_REDUNDANCY",
	}
}

// ClassOf returns the storage class that the copy of an object of a class gets, "" for the
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

// HasClass reports whether an object of that class is in the class that copies get. S3 names none
// for STANDARD in headers.
func (s Settings) HasClass(class string) bool {
	isStandard := func(class string) bool { return class == "" || class == standardClass }
	return s.KeepStorageClass || class == s.StorageClass || isStandard(class) && isStandard(s.StorageClass)
}
