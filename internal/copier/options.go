package copier

import (
	"context"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/s3"

	"syncd/internal/listing"
	"syncd/internal/peer"
	"syncd/internal/throttle"
)

type copyAPI interface {
	CopyObject(ctx context.Context, in *s3.CopyObjectInput, opts ...func(*s3.Options)) (*s3.CopyObjectOutput, error)
}

type sourceAPI interface {
	readAPI
	headAPI
	listing.API
	sourceAnnotationAPI
	GetObjectTagging(ctx context.Context, in *s3.GetObjectTaggingInput, opts ...func(*s3.Options)) (*s3.GetObjectTaggingOutput, error)
}

type destinationAPI interface {
	copyAPI
	headAPI
	listing.API
	writeAPI
	multipartAPI
	annotationAPI
	PutObjectTagging(ctx context.Context, in *s3.PutObjectTaggingInput, opts ...func(*s3.Options)) (*s3.PutObjectTaggingOutput, error)
}

type bytesAPI interface {
	Wait(ctx context.Context, n int64) error
}

// Options are the settings of a Copier.
type Options struct {
	// Source reads the source's metadata; it sends to the source's region.
	Source sourceAPI
	// Destination sends the copies; it sends to the destination's region with credentials that may read the source too.
	Destination destinationAPI
	// SourceBucket and SourcePrefix say where keys come from; the prefix is taken off each key.
	SourceBucket, SourcePrefix string
	// DestinationBucket and DestinationPrefix say where copies go; the prefix is put before each key.
	DestinationBucket, DestinationPrefix string
	// SourceAccount and DestinationAccount are sent as the expected bucket owners; empty sends none.
	SourceAccount, DestinationAccount string
	// RequestPayer says that this side pays for reading the source.
	RequestPayer bool
	// KeyARN is the KMS key that copies are encrypted under, and that every answer must name.
	KeyARN string
	// BucketKey asks for an S3 Bucket Key.
	BucketKey bool
	// StorageClass is the storage class of copies; empty means STANDARD.
	StorageClass string
	// KeepStorageClass gives copies the class of their source instead; STANDARD where that is one that nobody can write
	// into directly.
	KeepStorageClass bool
	// ObjectLock gives copies the retention, the event hold and the legal hold of their source, as far as this side may read
	// them (s3:GetObjectRetention, s3:GetObjectLegalHold): S3 shows none to those who may not. It costs a HEAD for each object,
	// and the destination needs Object Lock. A retention that has run out is left behind.
	ObjectLock bool
	// ObjectLockMax bounds how long after a copy its retention ends, and how long the retention lasts that begins when an event hold
	// ends; 0 bounds nothing.
	ObjectLockMax time.Duration
	// Initiator is the ARN of the role whose sessions write the copies, empty when it is not known; SweepUploads needs it.
	// Session is the name of these sessions; empty means that all sessions of the role are this program's.
	Initiator, Session string
	// OmitTags and OmitMetadata leave the source's tags or metadata behind.
	OmitTags, OmitMetadata bool
	// OnlyTags are the keys of the tags that are copied, exactly; nil means all. CopyObject copies all tags or none, so that each
	// object's tags are read for it, and given to the copy.
	OnlyTags []string
	// Annotations gives copies the annotations of their source, each of which is billed like a PUT (Amazon S3 API Reference,
	// CopyObject). A relay and a copy in parts ask for them once an object.
	Annotations bool
	// ACL is the canned ACL of copies, as "bucket-owner-full-control"; empty sends none.
	ACL string
	// MultipartAbove is the size in bytes above which an object is copied in parts, 5 MiB to MaxCopyObject, which 0 means:
	// S3 copies no parts of an object of up to 5 MiB.
	MultipartAbove int64
	// PartSize is the wanted size of a part in bytes; 0 means one chosen by the object's size.
	PartSize int64
	// Relay reads with Source and writes with Destination instead of having the service copy; it needs Buffers.
	Relay   bool
	Buffers *Buffers
	// Slots bounds the requests under way, objects and parts together, in all copiers that share it. Only the clean-up
	// after a failed copy does not wait for one, and a body holds none while it is left unread until there is one.
	Slots throttle.Slots
	// Bytes is waited for before that many bytes of content are copied, without holding a slot; nil waits for none.
	Bytes bytesAPI
	// OverwriteAny allows what syncd neither wrote nor adopted to be replaced.
	OverwriteAny bool
	// ToS3 reports whether the destination is known to be S3 itself, which honours the conditions of writes and decodes metadata;
	// nil means that it is. Whether another service honours conditions, the first write of each kind finds out.
	ToS3 func() bool
	// Peer is what the destination's answers say of its clock; nil means that it shows what this process's does.
	Peer *peer.Peer
	// Now is the clock; nil means time.Now.
	Now func() time.Time
}
