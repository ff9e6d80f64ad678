// Package copier carries out one copy: an action of the plan in, a result with its proof out.
//
// It promises that what it reports as copied is one version of the source, whole, under the configured KMS key. Every
// request is pinned to the ETag that was listed, so that an object overwritten under way is copied again from its newest
// version and never mixed from two; the key ARN that the service answers is compared with the configured one; the
// expected owner is sent for both buckets. Up to 5 GiB an object costs exactly one request; above, and where two roles
// are needed, content goes in parts side by side. A copy that fails leaves no upload behind; a process that is killed may, for a lifecycle rule to remove.
//
// It leaves to others which objects to copy, in what order and how many at once (the syncer), and what to remember of it
// (the ledger). It never logs and counts nothing.
//
// Two words: server-side means that S3 moves the bytes and none passes through this process; a slot is the right to have
// one request under way.
package copier

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
	"golang.org/x/sync/semaphore"

	"syncd/internal/awserr"
	"syncd/internal/listing"
	"syncd/internal/plan"
)

const (
	// MaxCopyObject is the largest object that one CopyObject takes, in bytes (Amazon S3 API Reference, CopyObject: 5 GB,
	// which S3 counts as 5 GiB).
	MaxCopyObject int64 = 5 << 30
	// maxKeyBytes is the longest key in bytes of UTF-8 (Amazon S3 User Guide, "Naming Amazon S3 objects").
	maxKeyBytes = 1024
	// maxVersions bounds how often a copy follows a source that is overwritten under its hands.
	maxVersions = 3
	// answerTimeout bounds the wait for the answer to one request, retries included: a connection that says nothing more
	// must not end in a pass that never does. S3 may take minutes to copy 5 GiB from another region.
	answerTimeout = 30 * time.Minute
)

type copyAPI interface {
	CopyObject(ctx context.Context, in *s3.CopyObjectInput, opts ...func(*s3.Options)) (*s3.CopyObjectOutput, error)
}

type sourceAPI interface {
	readAPI
	headAPI
	GetObjectTagging(ctx context.Context, in *s3.GetObjectTaggingInput, opts ...func(*s3.Options)) (*s3.GetObjectTaggingOutput, error)
}

type destinationAPI interface {
	copyAPI
	headAPI
	writeAPI
	multipartAPI
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
	// OmitTags and OmitMetadata leave the source's tags or metadata behind.
	OmitTags, OmitMetadata bool
	// MultipartAbove is the size in bytes above which an object is copied in parts, 5 MiB to MaxCopyObject, which 0 means:
	// S3 copies no parts of an object of up to 5 MiB.
	MultipartAbove int64
	// PartSize is the wanted size of a part in bytes; 0 means one chosen by the object's size.
	PartSize int64
	// Relay reads with Source and writes with Destination instead of having the service copy; it needs Buffers.
	Relay   bool
	Buffers *Buffers
	// Slots bounds the requests under way, objects and parts together, in all copiers that share it. Only the clean-up
	// after a failed copy does not wait for one.
	Slots *semaphore.Weighted
	// Now is the clock; nil means time.Now.
	Now func() time.Time
}

// Copier copies objects from one bucket to another.
type Copier struct {
	o   Options
	crc checksummer
}

// New returns a Copier.
func New(o Options) *Copier {
	if o.MultipartAbove <= 0 || o.MultipartAbove > MaxCopyObject {
		o.MultipartAbove = MaxCopyObject
	}
	o.MultipartAbove = max(o.MultipartAbove, minPartSize)
	if o.Now == nil {
		o.Now = time.Now
	}
	return &Copier{o: o, crc: newChecksummer()}
}

// Result is a copy that the destination has confirmed.
type Result struct {
	// Object is the source version that was copied: the listed one, or a newer one when it was overwritten meanwhile.
	Object listing.Object
	// DestinationKey, DestinationETag and DestinationVersionID name the copy; the version is empty without versioning.
	DestinationKey, DestinationETag, DestinationVersionID string
	// KeyARN is the KMS key that the service says the copy lies under.
	KeyARN string
	// BucketKey says that an S3 Bucket Key was used.
	BucketKey bool
	// Checksum is the checksum that the service answered, as "algorithm:base64"; empty when it answered none.
	Checksum string
	// Parts is the number of parts, 0 for a single CopyObject.
	Parts int
	// CopiedAt is when the answer came.
	CopiedAt time.Time
}

// Copy copies one object and returns what the destination answered. An error is an *ObjectError.
//
// A source that is overwritten meanwhile is looked up and copied again in its newest version, a few times, before it ends
// with ErrUnsteady; one that vanished ends with class gone.
func (c *Copier) Copy(ctx context.Context, object listing.Object) (Result, error) {
	key, err := c.DestinationKey(object.Key)
	if err != nil {
		return Result{}, err
	}
	for range maxVersions {
		result, failure := c.copyVersion(ctx, object, key)
		if !moved(failure) {
			return result, failure
		}
		if object, err = c.newest(ctx, object.Key); err != nil {
			return Result{}, err
		}
		// The class of the failure is left behind: it must not call an object gone that is still there.
		err = c.failed("copy", object.Key, fmt.Errorf("%w: %s", ErrUnsteady, awserr.Brief(failure)))
	}
	return Result{}, err
}

// moved reports whether the copy failed because its source is not what it was. What a service calls gone may as well be
// the upload, removed by somebody else.
func moved(err error) bool {
	class := awserr.Classify(err)
	return class == awserr.Precondition || class == awserr.Gone
}

// DestinationKey returns the key that the copy of a source key goes to, or an *ObjectError when S3 has no such key.
func (c *Copier) DestinationKey(key string) (string, error) {
	destination := c.o.DestinationPrefix + strings.TrimPrefix(key, c.o.SourcePrefix)
	if n := len(destination); n == 0 || n > maxKeyBytes {
		err := fmt.Errorf("%w: the prefix change makes it %d bytes long, S3 takes 1 to %d", ErrKeyUnrepresentable, n, maxKeyBytes)
		return "", &ObjectError{Op: "copy", Bucket: c.o.SourceBucket, Key: key, Err: err}
	}
	return destination, nil
}

func (c *Copier) copyVersion(ctx context.Context, object listing.Object, key string) (Result, error) {
	if object.ETag == "" {
		return Result{}, c.failed("copy", object.Key, errNoETag)
	}
	switch {
	case object.Size > maxParts*maxPartSize:
		return Result{}, c.failed("copy", object.Key, errTooLarge)
	case c.o.Relay && object.Size > defaultRelayPart:
		return c.relayParts(ctx, object, key)
	case c.o.Relay:
		return c.relayWhole(ctx, object, key)
	case object.Size > c.o.MultipartAbove:
		return c.copyParts(ctx, object, key)
	default:
		return c.copyWhole(ctx, object, key)
	}
}

func (c *Copier) copyWhole(ctx context.Context, object listing.Object, key string) (Result, error) {
	var out *s3.CopyObjectOutput
	err := c.withSlot(ctx, func(ctx context.Context) (err error) {
		out, err = c.o.Destination.CopyObject(ctx, c.copyInput(object, key))
		return err
	})
	if err != nil {
		return Result{}, c.failed("copy", object.Key, err)
	}
	if out.CopyObjectResult == nil {
		return Result{}, c.failed("copy", object.Key, errEmptyAnswer)
	}
	return c.confirmed(Result{
		Object: object, DestinationKey: key,
		DestinationETag: aws.ToString(out.CopyObjectResult.ETag), DestinationVersionID: aws.ToString(out.VersionId),
		KeyARN: aws.ToString(out.SSEKMSKeyId), BucketKey: aws.ToBool(out.BucketKeyEnabled),
		Checksum: checksumOf(copyChecksums(out.CopyObjectResult)), CopiedAt: c.o.Now(),
	})
}

func (c *Copier) copyInput(object listing.Object, key string) *s3.CopyObjectInput {
	in := &s3.CopyObjectInput{
		Bucket: &c.o.DestinationBucket, Key: &key,
		CopySource: aws.String(copySource(c.o.SourceBucket, object.Key)), CopySourceIfMatch: &object.ETag,
		ExpectedBucketOwner: optional(c.o.DestinationAccount), ExpectedSourceBucketOwner: optional(c.o.SourceAccount),
		ServerSideEncryption: types.ServerSideEncryptionAwsKms, SSEKMSKeyId: &c.o.KeyARN, BucketKeyEnabled: &c.o.BucketKey,
		StorageClass: types.StorageClass(c.o.StorageClass),
		// The default would ask both sides for permissions on annotations that hardly any policy grants.
		AnnotationDirective: types.AnnotationDirectiveExclude,
		RequestPayer:        c.payer(),
	}
	if c.o.OmitMetadata {
		in.MetadataDirective = types.MetadataDirectiveReplace
	}
	if c.o.OmitTags {
		in.TaggingDirective = types.TaggingDirectiveReplace
	}
	return in
}

// newest looks the source object up again.
func (c *Copier) newest(ctx context.Context, key string) (listing.Object, error) {
	head, err := c.head(ctx, key, nil)
	if err != nil {
		return listing.Object{}, err
	}
	return listing.Object{
		Key: key, ETag: aws.ToString(head.ETag), Size: aws.ToInt64(head.ContentLength),
		LastModified: aws.ToTime(head.LastModified), StorageClass: string(head.StorageClass),
	}, nil
}

func (c *Copier) head(ctx context.Context, key string, etag *string) (head *s3.HeadObjectOutput, err error) {
	err = c.withSlot(ctx, func(ctx context.Context) (err error) {
		head, err = c.o.Source.HeadObject(ctx, &s3.HeadObjectInput{
			Bucket: &c.o.SourceBucket, Key: &key, IfMatch: etag, ChecksumMode: types.ChecksumModeEnabled,
			ExpectedBucketOwner: optional(c.o.SourceAccount), RequestPayer: c.payer(),
		})
		return err
	})
	if err != nil {
		return nil, c.failed("look up", key, err)
	}
	return head, nil
}

// withSlot sends one request when there is a slot for it, and waits for its answer only so long.
func (c *Copier) withSlot(ctx context.Context, send func(context.Context) error) error {
	if err := c.o.Slots.Acquire(ctx, 1); err != nil {
		return err
	}
	defer c.o.Slots.Release(1)
	bounded, cancel := context.WithTimeout(ctx, answerTimeout)
	defer cancel()
	err := send(bounded)
	if err != nil && bounded.Err() != nil && ctx.Err() == nil {
		// The SDK's error would look like a copy that was canceled.
		return fmt.Errorf("no answer within %s: %w", answerTimeout, context.DeadlineExceeded)
	}
	return err
}

// confirmed refuses a copy that does not lie under the configured key, whatever the reason: the ledger must never say so.
func (c *Copier) confirmed(r Result) (Result, error) {
	if plan.SameKey(r.KeyARN, c.o.KeyARN) {
		return r, nil
	}
	err := fmt.Errorf("%w: the answer names %q, configured is %q", ErrWrongKey, r.KeyARN, c.o.KeyARN)
	return Result{}, &ObjectError{Op: "copy", Bucket: c.o.DestinationBucket, Key: r.DestinationKey, Err: err}
}

func (c *Copier) payer() types.RequestPayer {
	if c.o.RequestPayer {
		return types.RequestPayerRequester
	}
	return ""
}

func (c *Copier) failed(op, key string, err error) error {
	return &ObjectError{Op: op, Bucket: c.o.SourceBucket, Key: key, Err: err}
}

func optional(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}
