package copier

import (
	"context"
	"errors"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
	"golang.org/x/sync/errgroup"

	"syncd/internal/listing"
	"syncd/internal/plan"
	"syncd/internal/transfer"
)

// partsAtOnce bounds the parts of one object that wait for a slot, so that 10,000 goroutines do not.
const partsAtOnce = 64

type multipartAPI interface {
	CreateMultipartUpload(ctx context.Context, in *s3.CreateMultipartUploadInput, opts ...func(*s3.Options)) (*s3.CreateMultipartUploadOutput, error)
	UploadPartCopy(ctx context.Context, in *s3.UploadPartCopyInput, opts ...func(*s3.Options)) (*s3.UploadPartCopyOutput, error)
	ListParts(ctx context.Context, in *s3.ListPartsInput, opts ...func(*s3.Options)) (*s3.ListPartsOutput, error)
	CompleteMultipartUpload(ctx context.Context, in *s3.CompleteMultipartUploadInput, opts ...func(*s3.Options)) (*s3.CompleteMultipartUploadOutput, error)
	AbortMultipartUpload(ctx context.Context, in *s3.AbortMultipartUploadInput, opts ...func(*s3.Options)) (*s3.AbortMultipartUploadOutput, error)
	ListMultipartUploads(ctx context.Context, in *s3.ListMultipartUploadsInput, opts ...func(*s3.Options)) (*s3.ListMultipartUploadsOutput, error)
}

// upload is one multipart upload under way.
type upload struct {
	c        *Copier
	job      *job
	object   listing.Object
	key      string
	id       string
	partSize int64 // of every part but the last
	// sourceSum is the CRC64NVME of the whole object that the source tells, "" when it tells none.
	sourceSum string
	// parts are the finished ones by their index; those of an earlier process come first.
	parts   []types.CompletedPart
	resumed int
}

// copyParts copies an object in parts. Nothing is inherited by an upload, so what CopyObject would have carried over is
// read from the source first and given at creation.
func (j *job) copyParts(ctx context.Context) (Result, error) {
	c, object, r := j.c, j.object, j.upload
	var head s3.HeadObjectOutput
	if c.o.ReadsHead(true) {
		found, err := c.head(ctx, object.Key, &object.ETag)
		if err != nil {
			return Result{}, err
		}
		head = *found
	}
	d, err := c.draft(ctx, object, &head)
	if err != nil {
		return Result{}, err
	}
	u := &upload{c: c, job: j, object: object, key: j.key, partSize: c.o.PartSizeOf(object.Size), sourceSum: wholeSum(&head)}
	u.parts = make([]types.CompletedPart, transfer.Parts{Object: object.Size, Size: u.partSize}.Count())
	if err := u.begin(ctx, d, r); err != nil {
		return Result{}, err
	}
	err = u.makeParts(ctx)
	r.made = u.made() > u.resumed
	if err != nil {
		return Result{}, err
	}
	result, err := u.complete(ctx, r)
	if err != nil {
		return Result{}, err
	}
	r.ended()
	return j.finished(ctx, d, result)
}

// bounds returns where a part begins in the object and how long it is, in bytes.
func (u *upload) bounds(index int) (first, length int64) {
	return transfer.Parts{Object: u.object.Size, Size: u.partSize}.Bounds(index)
}

// makeParts makes all parts that are not there yet, side by side, or from one stream where the source has no ranges.
func (u *upload) makeParts(ctx context.Context) error {
	group, grouped := errgroup.WithContext(ctx)
	group.SetLimit(partsAtOnce)
	for i := range u.parts {
		if u.parts[i].PartNumber != nil {
			continue
		}
		group.Go(func() error {
			return u.c.guard(u.object.Key, func() error { return u.makePart(grouped, i) })
		})
	}
	err := group.Wait()
	if errors.Is(err, errNoRanges) {
		return u.streamParts(ctx)
	}
	return err
}

// made returns how many parts there are.
func (u *upload) made() (n int) {
	for _, p := range u.parts {
		if p.PartNumber != nil {
			n++
		}
	}
	return n
}

func (u *upload) makePart(ctx context.Context, index int) (err error) {
	op, number := "copy", int32(index+1) //nolint:gosec // at most maxParts
	if u.c.o.Relay {
		op = "relay"
	}
	_, length := u.bounds(index)
	if err = u.c.waitBytes(ctx, length); err == nil && u.c.o.Relay {
		u.parts[index], err = u.relayRange(ctx, number)
	} else if err == nil {
		u.parts[index], err = u.copyRange(ctx, number)
	}
	if err != nil {
		return u.c.failed(fmt.Sprintf("%s part %d of", op, number), u.object.Key, err)
	}
	return nil
}

// copyRange copies one part server-side, pinned to the source version.
func (u *upload) copyRange(ctx context.Context, number int32) (types.CompletedPart, error) {
	o := &u.c.o
	first, length := u.bounds(int(number) - 1)
	var out *s3.UploadPartCopyOutput
	err := u.job.write(ctx, func(ctx context.Context) (err error) {
		out, err = o.Destination.UploadPartCopy(ctx, &s3.UploadPartCopyInput{
			Bucket: &o.DestinationPlace.Bucket, Key: &u.key, UploadId: &u.id, PartNumber: &number,
			CopySource: aws.String(transfer.CopySource(o.SourcePlace.Bucket, u.object.Key)), CopySourceIfMatch: &u.object.ETag,
			CopySourceRange:     aws.String(fmt.Sprintf("bytes=%d-%d", first, first+length-1)),
			ExpectedBucketOwner: optional(o.DestinationPlace.Account), ExpectedSourceBucketOwner: optional(o.SourcePlace.Account),
			RequestPayer: u.c.payer(),
		})
		return err
	})
	if err == nil {
		err = u.underKey(out.SSEKMSKeyId)
	}
	if err != nil {
		return types.CompletedPart{}, err
	}
	r := out.CopyPartResult
	// An upload that has checksums wants them back.
	return types.CompletedPart{
		PartNumber: &number, ETag: r.ETag,
		ChecksumCRC32: r.ChecksumCRC32, ChecksumCRC32C: r.ChecksumCRC32C, ChecksumCRC64NVME: r.ChecksumCRC64NVME,
		ChecksumSHA1: r.ChecksumSHA1, ChecksumSHA256: r.ChecksumSHA256,
	}, nil
}

// underKey refuses an upload that is under another key than the configured one before all of its content is copied for
// nothing. A service that names none is asked again at the end.
func (u *upload) underKey(answered *string) error {
	if name := aws.ToString(answered); name != "" && !plan.SameKey(name, u.c.o.KeyARN) {
		return u.c.underAnotherKey(u.key, name)
	}
	return nil
}
