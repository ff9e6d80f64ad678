package copier

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/s3"

	"syncd/internal/copier/annotation"
	"syncd/internal/copier/content"
	"syncd/internal/copier/deleting"
	"syncd/internal/copier/upload"
	"syncd/internal/listing"
	"syncd/internal/peer"
	"syncd/internal/throttle"
	"syncd/internal/transfer"
)

type headAPI interface {
	HeadObject(ctx context.Context, in *s3.HeadObjectInput, opts ...func(*s3.Options)) (*s3.HeadObjectOutput, error)
}

type sourceAPI interface {
	GetObject(ctx context.Context, in *s3.GetObjectInput, opts ...func(*s3.Options)) (*s3.GetObjectOutput, error)
	headAPI
	listing.API
	annotation.API
	GetObjectTagging(ctx context.Context, in *s3.GetObjectTaggingInput, opts ...func(*s3.Options)) (*s3.GetObjectTaggingOutput, error)
}

type destinationAPI interface {
	CopyObject(ctx context.Context, in *s3.CopyObjectInput, opts ...func(*s3.Options)) (*s3.CopyObjectOutput, error)
	headAPI
	listing.API
	deleting.API
	PutObject(ctx context.Context, in *s3.PutObjectInput, opts ...func(*s3.Options)) (*s3.PutObjectOutput, error)
	upload.API
	PutObjectAnnotation(ctx context.Context, in *s3.PutObjectAnnotationInput, opts ...func(*s3.Options)) (*s3.PutObjectAnnotationOutput, error)
	annotation.API
	inspectionAPI
	PutObjectTagging(ctx context.Context, in *s3.PutObjectTaggingInput, opts ...func(*s3.Options)) (*s3.PutObjectTaggingOutput, error)
}

// inspectionAPI reads the properties of copies that a HEAD does not show.
type inspectionAPI interface {
	GetObjectTagging(ctx context.Context, in *s3.GetObjectTaggingInput, opts ...func(*s3.Options)) (*s3.GetObjectTaggingOutput, error)
	GetObjectRetention(ctx context.Context, in *s3.GetObjectRetentionInput, opts ...func(*s3.Options)) (*s3.GetObjectRetentionOutput, error)
	GetObjectLegalHold(ctx context.Context, in *s3.GetObjectLegalHoldInput, opts ...func(*s3.Options)) (*s3.GetObjectLegalHoldOutput, error)
}

type bytesAPI interface {
	Wait(ctx context.Context, n int64) error
}

// Options are the settings of a Copier.
type Options struct {
	// Source reads the source's metadata. It sends requests to the source's region.
	Source sourceAPI
	// Destination writes the copies. It sends requests to the destination's region. Unless content
	// is relayed, the client's credentials also need permission to read the source.
	Destination destinationAPI
	// SourcePlace is the location of the objects, and DestinationPlace the location of the copies.
	SourcePlace, DestinationPlace transfer.Place
	// Settings define how objects are copied. If content is relayed, Buffers is required, and its
	// size limits the part size.
	transfer.Settings
	Buffers *content.Buffers
	// KeyARN is the KMS key for the copies. Every response must name it.
	KeyARN string
	// BucketKey enables an S3 Bucket Key.
	BucketKey bool
	// Initiator is the ARN of the role whose sessions write the copies, empty if unknown; without
	// it SweepUploads does nothing. Session is the name of these sessions; empty means that all
	// sessions of the role belong to syncd.
	Initiator, Session string
	// Slots limits the number of requests in flight, for objects and parts together, in all copiers
	// that share it. Only the clean-up after a failed copy does not wait for a slot. A body holds a
	// slot only while it is being read.
	Slots throttle.Slots
	// Bytes limits the rate of copied content; nil means no limit. A copy that waits for Bytes
	// holds no slot.
	Bytes bytesAPI
	// OverwriteAny allows replacing objects that syncd neither wrote nor adopted.
	OverwriteAny bool
	// ToS3 reports whether the destination is known to be S3 itself, which honors the conditions of
	// writes and decodes metadata. If ToS3 is nil, the destination is S3. For other services, the
	// first write of each kind tests whether conditions are honored.
	ToS3 func() bool
	// Peer provides the destination's clock, observed in its responses; nil means that the
	// destination uses this process's clock.
	Peer *peer.Peer
	// Now is the clock; nil means time.Now.
	Now func() time.Time
}

// fingerprint returns the settings that affect an upload, apart from its source, as one text. An
// upload that was begun with other settings cannot be resumed.
func (o *Options) fingerprint() string {
	text := fmt.Sprintf("source=%s key=%s bucket_key=%t class=%s keep_class=%t omit_tags=%t omit_metadata=%t object_lock=%t",
		o.SourcePlace.Bucket, o.KeyARN, o.BucketKey, o.StorageClass, o.KeepStorageClass, o.OmitTags, o.OmitMetadata, o.ObjectLock)
	// Unset options are omitted, so that uploads of earlier versions without these options can
	// still be resumed.
	if o.ChoosesTags() {
		text += fmt.Sprintf(" only_tags=%q", slices.Sorted(slices.Values(o.OnlyTags)))
	}
	if o.ACL != "" {
		text += " acl=" + o.ACL
	}
	if o.ObjectLockMax > 0 {
		text += " object_lock_max=" + o.ObjectLockMax.String()
	}
	return text
}
