package copier

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
	"golang.org/x/sync/errgroup"

	"syncd/internal/awserr"
	"syncd/internal/listing"
)

// Limits of multipart uploads (Amazon S3 User Guide, "Amazon S3 multipart upload limits").
const (
	maxParts    = 10_000
	minPartSize = 5 << 20
	maxPartSize = 5 << 30
)

const (
	// defaultPartSize keeps a part short enough to finish while a task is being stopped.
	defaultPartSize = 256 << 20
	// partsAtOnce bounds the parts of one object that wait for a slot, so that 10,000 goroutines do not.
	partsAtOnce = 64
	// abortTimeout bounds the clean-up of an upload after its copy failed or was canceled.
	abortTimeout = 10 * time.Second
)

type multipartAPI interface {
	CreateMultipartUpload(ctx context.Context, in *s3.CreateMultipartUploadInput, opts ...func(*s3.Options)) (*s3.CreateMultipartUploadOutput, error)
	UploadPartCopy(ctx context.Context, in *s3.UploadPartCopyInput, opts ...func(*s3.Options)) (*s3.UploadPartCopyOutput, error)
	CompleteMultipartUpload(ctx context.Context, in *s3.CompleteMultipartUploadInput, opts ...func(*s3.Options)) (*s3.CompleteMultipartUploadOutput, error)
	AbortMultipartUpload(ctx context.Context, in *s3.AbortMultipartUploadInput, opts ...func(*s3.Options)) (*s3.AbortMultipartUploadOutput, error)
}

// upload is one multipart upload under way.
type upload struct {
	c        *Copier
	object   listing.Object
	key      string
	id       string
	partSize int64
	// part makes one part; whole returns the checksum of all, nil where the destination computes it.
	part  func(ctx context.Context, u *upload, index int) (types.CompletedPart, error)
	whole func(u *upload) (*string, error)
}

// copyParts copies an object in parts, server-side. Nothing is inherited by an upload, so what CopyObject would have
// carried over is read from the source first and given at creation.
func (c *Copier) copyParts(ctx context.Context, object listing.Object, key string) (Result, error) {
	var head *s3.HeadObjectOutput
	if !c.o.OmitMetadata {
		var err error
		if head, err = c.head(ctx, object.Key, &object.ETag); err != nil {
			return Result{}, err
		}
	}
	create, err := c.createInput(ctx, object, key, head)
	if err != nil {
		return Result{}, err
	}
	return c.upload(ctx, create, upload{
		object: object, key: key, partSize: partSize(object.Size, c.o.PartSize),
		part: func(ctx context.Context, u *upload, index int) (types.CompletedPart, error) {
			return u.copyRange(ctx, index)
		},
		whole: func(*upload) (*string, error) { return nil, nil },
	})
}

// upload creates an upload, has its parts made and completes it, or aborts it.
func (c *Copier) upload(ctx context.Context, create *s3.CreateMultipartUploadInput, u upload) (Result, error) {
	var created *s3.CreateMultipartUploadOutput
	err := c.withSlot(ctx, func(ctx context.Context) (err error) {
		created, err = c.o.Destination.CreateMultipartUpload(ctx, create)
		return err
	})
	if err == nil && aws.ToString(created.UploadId) == "" {
		err = errEmptyAnswer
	}
	if err != nil {
		return Result{}, c.failed("create upload for", u.object.Key, err)
	}
	u.c, u.id = c, aws.ToString(created.UploadId)
	result, err := u.finish(ctx)
	if err != nil {
		return Result{}, u.abort(ctx, err)
	}
	return c.confirmed(result)
}

// partSize returns the size of every part but the last: the wanted one, or larger where 10,000 parts of it would not do.
func partSize(size, wanted int64) int64 {
	if wanted == 0 {
		wanted = defaultPartSize
	}
	const mebibyte = 1 << 20
	least := (size + maxParts - 1) / maxParts
	least = (least + mebibyte - 1) / mebibyte * mebibyte
	return min(max(wanted, least, minPartSize), maxPartSize)
}

// createInput is a creation with what the object has beside its content, but for the metadata when there is no head.
func (c *Copier) createInput(ctx context.Context, object listing.Object, key string, head *s3.HeadObjectOutput) (*s3.CreateMultipartUploadInput, error) {
	in := &s3.CreateMultipartUploadInput{
		Bucket: &c.o.DestinationBucket, Key: &key, ExpectedBucketOwner: optional(c.o.DestinationAccount),
		ServerSideEncryption: types.ServerSideEncryptionAwsKms, SSEKMSKeyId: &c.o.KeyARN, BucketKeyEnabled: &c.o.BucketKey,
		StorageClass: types.StorageClass(c.o.StorageClass),
	}
	if !c.o.OmitMetadata {
		if aws.ToInt32(head.MissingMeta) > 0 {
			return nil, c.failed("copy", object.Key, errHidden)
		}
		in.CacheControl, in.ContentDisposition, in.ContentEncoding = head.CacheControl, head.ContentDisposition, encoding(head.ContentEncoding)
		in.ContentLanguage, in.ContentType, in.Expires, in.Metadata = head.ContentLanguage, head.ContentType, expires(head.ExpiresString), head.Metadata
	}
	tags, err := c.tagsToCopy(ctx, object.Key)
	in.Tagging = optional(tags)
	return in, err
}

// expires returns the Expires header where it is a date, the only form in which an upload takes it.
func expires(header *string) *time.Time {
	if t, err := http.ParseTime(aws.ToString(header)); err == nil {
		return &t
	}
	return nil
}

// tagsToCopy reads the source's tags, form-encoded as the tagging header wants them; "" when they are left behind. HEAD cannot tell whether there are any: it
// answers no count both for an object without tags and for a caller who may not read them.
func (c *Copier) tagsToCopy(ctx context.Context, key string) (string, error) {
	if c.o.OmitTags {
		return "", nil
	}
	var out *s3.GetObjectTaggingOutput
	err := c.withSlot(ctx, func(ctx context.Context) (err error) {
		out, err = c.o.Source.GetObjectTagging(ctx, &s3.GetObjectTaggingInput{
			Bucket: &c.o.SourceBucket, Key: &key, ExpectedBucketOwner: optional(c.o.SourceAccount), RequestPayer: c.payer(),
		})
		return err
	})
	if err != nil {
		return "", c.failed("read tags of", key, err)
	}
	values := url.Values{}
	for _, tag := range out.TagSet {
		values.Set(aws.ToString(tag.Key), aws.ToString(tag.Value))
	}
	// A plus that stands for a space is not a space to everyone.
	return strings.ReplaceAll(values.Encode(), "+", "%20"), nil
}

func (u *upload) finish(ctx context.Context) (Result, error) {
	parts, err := u.parts(ctx)
	if err != nil {
		return Result{}, err
	}
	sum, err := u.whole(u)
	if err != nil {
		return Result{}, u.c.failed("complete upload of", u.object.Key, err)
	}
	complete := &s3.CompleteMultipartUploadInput{
		Bucket: &u.c.o.DestinationBucket, Key: &u.key, UploadId: &u.id, ExpectedBucketOwner: optional(u.c.o.DestinationAccount),
		MultipartUpload: &types.CompletedMultipartUpload{Parts: parts},
		// A count of bytes that is off is refused by the service instead of becoming an object.
		MpuObjectSize: &u.object.Size,
	}
	if sum != nil {
		complete.ChecksumCRC64NVME, complete.ChecksumType = sum, types.ChecksumTypeFullObject
	}
	var out *s3.CompleteMultipartUploadOutput
	err = u.c.withSlot(ctx, func(ctx context.Context) (err error) {
		out, err = u.c.o.Destination.CompleteMultipartUpload(ctx, complete)
		return err
	})
	if err == nil && sum != nil {
		err = sameChecksum(*sum, out.ChecksumCRC64NVME)
	}
	if err != nil {
		return Result{}, u.c.failed("complete upload of", u.object.Key, err)
	}
	return Result{
		Object: u.object, DestinationKey: u.key,
		DestinationETag: aws.ToString(out.ETag), DestinationVersionID: aws.ToString(out.VersionId),
		KeyARN: aws.ToString(out.SSEKMSKeyId), BucketKey: aws.ToBool(out.BucketKeyEnabled),
		Checksum: checksumOf([]checksum{{"crc64nvme", out.ChecksumCRC64NVME}}), Parts: len(parts), CopiedAt: u.c.o.Now(),
	}, nil
}

// parts makes all parts side by side.
func (u *upload) parts(ctx context.Context) ([]types.CompletedPart, error) {
	parts := make([]types.CompletedPart, partCount(u.object.Size, u.partSize))
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(partsAtOnce)
	for i := range parts {
		group.Go(func() error {
			part, err := u.part(ctx, u, i)
			parts[i] = part
			return err
		})
	}
	if err := group.Wait(); err != nil {
		return nil, err
	}
	return parts, nil
}

func partCount(size, partSize int64) int { return int((size + partSize - 1) / partSize) }

// bounds returns where a part begins in the object and how long it is, in bytes.
func (u *upload) bounds(index int) (first, length int64) {
	first = int64(index) * u.partSize
	return first, min(u.partSize, u.object.Size-first)
}

func (u *upload) partFailed(op string, number int32, err error) error {
	return u.c.failed(fmt.Sprintf("%s part %d of", op, number), u.object.Key, err)
}

// copyRange copies one part server-side, pinned to the source version.
func (u *upload) copyRange(ctx context.Context, index int) (types.CompletedPart, error) {
	o, number := u.c.o, int32(index+1) //nolint:gosec // at most maxParts
	first, length := u.bounds(index)
	var out *s3.UploadPartCopyOutput
	err := u.c.withSlot(ctx, func(ctx context.Context) (err error) {
		out, err = o.Destination.UploadPartCopy(ctx, &s3.UploadPartCopyInput{
			Bucket: &o.DestinationBucket, Key: &u.key, UploadId: &u.id, PartNumber: &number,
			CopySource: aws.String(copySource(o.SourceBucket, u.object.Key)), CopySourceIfMatch: &u.object.ETag,
			CopySourceRange:     aws.String(fmt.Sprintf("bytes=%d-%d", first, first+length-1)),
			ExpectedBucketOwner: optional(o.DestinationAccount), ExpectedSourceBucketOwner: optional(o.SourceAccount),
			RequestPayer: u.c.payer(),
		})
		return err
	})
	if err == nil && out.CopyPartResult == nil {
		err = errEmptyAnswer
	}
	if err != nil {
		return types.CompletedPart{}, u.partFailed("copy", number, err)
	}
	return completed(number, out.CopyPartResult), nil
}

// completed carries over the checksums that came with a part: an upload that has them wants them back.
func completed(number int32, r *types.CopyPartResult) types.CompletedPart {
	return types.CompletedPart{
		PartNumber: &number, ETag: r.ETag,
		ChecksumCRC32: r.ChecksumCRC32, ChecksumCRC32C: r.ChecksumCRC32C, ChecksumCRC64NVME: r.ChecksumCRC64NVME,
		ChecksumSHA1: r.ChecksumSHA1, ChecksumSHA256: r.ChecksumSHA256,
	}
}

// abort removes the upload of a copy that failed, also when ctx has ended: unfinished uploads cost storage until somebody
// does. It returns the failure, with what came of the upload where that is not removed. The failure alone decides the
// class: a canceled copy stays a canceled one.
func (u *upload) abort(ctx context.Context, failure error) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), abortTimeout)
	defer cancel()
	_, err := u.c.o.Destination.AbortMultipartUpload(ctx, &s3.AbortMultipartUploadInput{
		Bucket: &u.c.o.DestinationBucket, Key: &u.key, UploadId: &u.id, ExpectedBucketOwner: optional(u.c.o.DestinationAccount),
	})
	if err == nil || awserr.Classify(err) == awserr.Gone {
		return failure
	}
	return u.c.failed("copy", u.object.Key, fmt.Errorf("%w; upload %s stays: %s", failure, u.id, awserr.Brief(err)))
}
