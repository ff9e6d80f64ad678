package copier

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/s3"

	"syncd/internal/copier/content"
	"syncd/internal/copier/upload"
	"syncd/internal/listing"
	"syncd/internal/peer"
	"syncd/internal/throttle"
	"syncd/internal/transfer"
)

type headAPI interface {
	HeadObject(ctx context.Context, in *s3.HeadObjectInput, opts ...func(*s3.Options)) (*s3.HeadObjectOutput, error)
}

type sourceAnnotationAPI interface {
	ListObjectAnnotations(ctx context.Context, in *s3.ListObjectAnnotationsInput, opts ...func(*s3.Options)) (*s3.ListObjectAnnotationsOutput, error)
	GetObjectAnnotation(ctx context.Context, in *s3.GetObjectAnnotationInput, opts ...func(*s3.Options)) (*s3.GetObjectAnnotationOutput, error)
}

type sourceAPI interface {
	GetObject(ctx context.Context, in *s3.GetObjectInput, opts ...func(*s3.Options)) (*s3.GetObjectOutput, error)
	headAPI
	listing.API
	sourceAnnotationAPI
	GetObjectTagging(ctx context.Context, in *s3.GetObjectTaggingInput, opts ...func(*s3.Options)) (*s3.GetObjectTaggingOutput, error)
}

type destinationAPI interface {
	CopyObject(ctx context.Context, in *s3.CopyObjectInput, opts ...func(*s3.Options)) (*s3.CopyObjectOutput, error)
	headAPI
	listing.API
	PutObject(ctx context.Context, in *s3.PutObjectInput, opts ...func(*s3.Options)) (*s3.PutObjectOutput, error)
	upload.API
	PutObjectAnnotation(ctx context.Context, in *s3.PutObjectAnnotationInput, opts ...func(*s3.Options)) (*s3.PutObjectAnnotationOutput, error)
	PutObjectTagging(ctx context.Context, in *s3.PutObjectTaggingInput, opts ...func(*s3.Options)) (*s3.PutObjectTaggingOutput, error)
}

type bytesAPI interface {
	Wait(ctx context.Context, n int64) error
}

// Options are the settings of a Copier.
type Options struct {
	// Source reads the source's metadata; it sends to the source's region.
	Source sourceAPI
	// Destination sends the copies; it sends to the destination's region with credentials that may
	// read the source too.
	Destination destinationAPI
	// SourcePlace is where objects come from, and DestinationPlace where copies go.
	SourcePlace, DestinationPlace transfer.Place
	// Settings are how objects move; a relay needs Buffers, whose size bounds its parts.
	transfer.Settings
	Buffers *content.Buffers
	// KeyARN is the KMS key that copies are encrypted under, and that every answer must name.
	KeyARN string
	// BucketKey asks for an S3 Bucket Key.
	BucketKey bool
	// Initiator is the ARN of the role whose sessions write the copies, empty when it is not known;
	// SweepUploads needs it. Session is the name of these sessions; empty means that all sessions
	// of the role are this program's.
	Initiator, Session string
	// Slots bounds the requests under way, objects and parts together, in all copiers that share
	// it. Only the clean-up after a failed copy does not wait for one, and a body holds none while
	// it is left unread until there is one.
	Slots throttle.Slots
	// Bytes is waited for before that many bytes of content are copied, without holding a slot; nil
	// waits for none.
	Bytes bytesAPI
	// OverwriteAny allows what syncd neither wrote nor adopted to be replaced.
	OverwriteAny bool
	// ToS3 reports whether the destination is known to be S3 itself, which honours the conditions
	// of writes and decodes metadata; nil means that it is. Whether another service honours
	// conditions, the first write of each kind finds out.
	ToS3 func() bool
	// Peer is what the destination's answers say of its clock; nil means that it shows what this
	// process's does.
	Peer *peer.Peer
	// Now is the clock; nil means time.Now.
	Now func() time.Time
}

// fingerprint is what an upload is begun with beside its source: one that was begun under others is
// of no use.
func (o *Options) fingerprint() string {
	text := fmt.Sprintf("source=%s key=%s bucket_key=%t class=%s keep_class=%t omit_tags=%t omit_metadata=%t object_lock=%t",
		o.SourcePlace.Bucket, o.KeyARN, o.BucketKey, o.StorageClass, o.KeepStorageClass, o.OmitTags, o.OmitMetadata, o.ObjectLock)
	// What is not set is left out: an upload of a former version that had no word for it is still
	// of use.
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
