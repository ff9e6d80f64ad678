package copier

import (
	"context"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/s3"

	"syncd/internal/listing"
	"syncd/internal/peer"
	"syncd/internal/throttle"
	"syncd/internal/transfer"
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
	// SourcePlace is where objects come from, and DestinationPlace where copies go.
	SourcePlace, DestinationPlace transfer.Place
	// Settings are how objects move; a relay needs Buffers, whose size bounds its parts.
	transfer.Settings
	Buffers *Buffers
	// KeyARN is the KMS key that copies are encrypted under, and that every answer must name.
	KeyARN string
	// BucketKey asks for an S3 Bucket Key.
	BucketKey bool
	// Initiator is the ARN of the role whose sessions write the copies, empty when it is not known; SweepUploads needs it.
	// Session is the name of these sessions; empty means that all sessions of the role are this program's.
	Initiator, Session string
	// ACL is the canned ACL of copies, as "bucket-owner-full-control"; empty sends none.
	ACL string
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
