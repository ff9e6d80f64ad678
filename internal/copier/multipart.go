package copier

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
	"golang.org/x/sync/errgroup"

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
}

// copyParts copies an object in parts. Nothing is inherited by an upload, so what CopyObject would have carried over is
// read from the source first and given at creation.
func (c *Copier) copyParts(ctx context.Context, object listing.Object, key string) (Result, error) {
	create, err := c.createInput(ctx, object, key)
	if err != nil {
		return Result{}, err
	}
	created, err := c.o.Destination.CreateMultipartUpload(ctx, create)
	if err != nil {
		return Result{}, c.failed("create upload for", object.Key, err)
	}
	u := &upload{c: c, object: object, key: key, id: aws.ToString(created.UploadId), partSize: partSize(object.Size, c.o.PartSize)}
	result, err := u.finish(ctx)
	if err != nil {
		return Result{}, errors.Join(err, u.abort(ctx))
	}
	return result, c.assertKey(result)
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

func (c *Copier) createInput(ctx context.Context, object listing.Object, key string) (*s3.CreateMultipartUploadInput, error) {
	in := &s3.CreateMultipartUploadInput{
		Bucket: &c.o.DestinationBucket, Key: &key, ExpectedBucketOwner: optional(c.o.DestinationAccount),
		ServerSideEncryption: types.ServerSideEncryptionAwsKms, SSEKMSKeyId: &c.o.KeyARN, BucketKeyEnabled: &c.o.BucketKey,
		StorageClass: types.StorageClass(c.o.StorageClass),
	}
	if !c.o.OmitMetadata {
		head, err := c.head(ctx, object.Key, &object.ETag)
		if err != nil {
			return nil, err
		}
		in.CacheControl, in.ContentDisposition, in.ContentEncoding = head.CacheControl, head.ContentDisposition, head.ContentEncoding
		in.ContentLanguage, in.ContentType, in.Expires, in.Metadata = head.ContentLanguage, head.ContentType, expires(head), head.Metadata
	}
	if c.o.OmitTags {
		return in, nil
	}
	tags, err := c.tags(ctx, object.Key)
	in.Tagging = optional(tags)
	return in, err
}

// expires returns the Expires header where it is a date, the only form in which an upload takes it.
func expires(head *s3.HeadObjectOutput) *time.Time {
	if t, err := http.ParseTime(aws.ToString(head.ExpiresString)); err == nil {
		return &t
	}
	return nil
}

// tags reads the source's tags, form-encoded as the tagging header wants them. HEAD cannot tell whether there are any: it
// answers no count both for an object without tags and for a caller who may not read them.
func (c *Copier) tags(ctx context.Context, key string) (string, error) {
	out, err := c.o.Source.GetObjectTagging(ctx, &s3.GetObjectTaggingInput{
		Bucket: &c.o.SourceBucket, Key: &key, ExpectedBucketOwner: optional(c.o.SourceAccount), RequestPayer: c.payer(),
	})
	if err != nil {
		return "", c.failed("read tags of", key, err)
	}
	values := url.Values{}
	for _, tag := range out.TagSet {
		values.Set(aws.ToString(tag.Key), aws.ToString(tag.Value))
	}
	return values.Encode(), nil
}

func (u *upload) finish(ctx context.Context) (Result, error) {
	parts, err := u.copyRanges(ctx)
	if err != nil {
		return Result{}, err
	}
	out, err := u.c.o.Destination.CompleteMultipartUpload(ctx, &s3.CompleteMultipartUploadInput{
		Bucket: &u.c.o.DestinationBucket, Key: &u.key, UploadId: &u.id, ExpectedBucketOwner: optional(u.c.o.DestinationAccount),
		MultipartUpload: &types.CompletedMultipartUpload{Parts: parts},
		// A count of bytes that is off is refused by the service instead of becoming an object.
		MpuObjectSize: &u.object.Size,
	})
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

// copyRanges copies all parts side by side, each pinned to the source version.
func (u *upload) copyRanges(ctx context.Context) ([]types.CompletedPart, error) {
	parts := make([]types.CompletedPart, (u.object.Size+u.partSize-1)/u.partSize)
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(partsAtOnce)
	for i := range parts {
		group.Go(func() error {
			part, err := u.copyRange(ctx, i)
			parts[i] = part
			return err
		})
	}
	if err := group.Wait(); err != nil {
		return nil, err
	}
	return parts, nil
}

func (u *upload) copyRange(ctx context.Context, index int) (types.CompletedPart, error) {
	o, number := u.c.o, int32(index+1) //nolint:gosec // at most maxParts
	first := int64(index) * u.partSize
	last := min(first+u.partSize, u.object.Size) - 1
	var out *s3.UploadPartCopyOutput
	err := u.c.withSlot(ctx, func() (err error) {
		out, err = o.Destination.UploadPartCopy(ctx, &s3.UploadPartCopyInput{
			Bucket: &o.DestinationBucket, Key: &u.key, UploadId: &u.id, PartNumber: &number,
			CopySource: aws.String(copySource(o.SourceBucket, u.object.Key)), CopySourceIfMatch: &u.object.ETag,
			CopySourceRange:     aws.String(fmt.Sprintf("bytes=%d-%d", first, last)),
			ExpectedBucketOwner: optional(o.DestinationAccount), ExpectedSourceBucketOwner: optional(o.SourceAccount),
			RequestPayer: u.c.payer(),
		})
		return err
	})
	if err == nil && out.CopyPartResult == nil {
		err = errEmptyAnswer
	}
	if err != nil {
		return types.CompletedPart{}, u.c.failed(fmt.Sprintf("copy part %d of", number), u.object.Key, err)
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

// abort removes the upload, also when ctx has ended: unfinished uploads cost storage until somebody does.
func (u *upload) abort(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), abortTimeout)
	defer cancel()
	_, err := u.c.o.Destination.AbortMultipartUpload(ctx, &s3.AbortMultipartUploadInput{
		Bucket: &u.c.o.DestinationBucket, Key: &u.key, UploadId: &u.id, ExpectedBucketOwner: optional(u.c.o.DestinationAccount),
	})
	if err != nil {
		return u.c.failed("abort upload of", u.object.Key, err)
	}
	return nil
}
