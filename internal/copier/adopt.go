package copier

import (
	"context"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"

	"syncd/internal/awserr"
	"syncd/internal/checkpoint"
	"syncd/internal/listing"
	"syncd/internal/plan"
)

// adoptMargin is how much newer than its source a copy must be where no checksum tells that they are equal. Times alone
// prove little: they have whole seconds, and a tool that read the source before it was overwritten may have written after.
const adoptMargin = time.Hour

type headAPI interface {
	HeadObject(ctx context.Context, in *s3.HeadObjectInput, opts ...func(*s3.Options)) (*s3.HeadObjectOutput, error)
}

// Adopt looks whether what lies at the destination can stand for a copy of the object: under the configured key, and of
// the same content as far as it can be told without reading it. It costs a HEAD of either side. What cannot be looked at
// is not adopted; an error is one that no other request would escape, or a *PanicError.
func (c *Copier) Adopt(ctx context.Context, object, present listing.Object) (result Result, adopted bool, err error) {
	err = c.guard(object.Key, func() (err error) {
		result, adopted, err = c.adopt(ctx, object, present)
		return err
	})
	return result, adopted, err
}

func (c *Copier) adopt(ctx context.Context, object, present listing.Object) (result Result, adopted bool, err error) {
	copied, err := c.headCopy(ctx, &s3.HeadObjectInput{Key: &present.Key, IfMatch: &present.ETag})
	if err == nil && plan.SameKey(aws.ToString(copied.SSEKMSKeyId), c.o.KeyARN) && aws.ToInt64(copied.ContentLength) == object.Size {
		var source *s3.HeadObjectOutput
		source, err = c.head(ctx, object.Key, &object.ETag)
		adopted = err == nil && sameContent(source, copied)
	}
	switch {
	case err != nil && (awserr.Fatal(err) || ctx.Err() != nil):
		return Result{}, false, c.failed("adopt copy of", object.Key, err)
	case !adopted:
		return Result{}, false, nil
	}
	return Result{
		Object: object, DestinationKey: present.Key,
		DestinationETag: aws.ToString(copied.ETag), DestinationVersionID: aws.ToString(copied.VersionId),
		KeyARN: aws.ToString(copied.SSEKMSKeyId), BucketKey: aws.ToBool(copied.BucketKeyEnabled),
		Checksum: checksumOf(headChecksums(copied)), CopiedAt: aws.ToTime(copied.LastModified),
	}, true, nil
}

// Intact reports whether the destination still holds the copy that an entry of the ledger tells of. It costs a HEAD of the
// destination. What cannot be looked at counts as replaced; an error is one that no other request would escape.
func (c *Copier) Intact(ctx context.Context, e checkpoint.Entry) (bool, error) {
	key, err := c.DestinationKey(e.Key)
	var found *s3.HeadObjectOutput
	if err == nil {
		found, err = c.headCopy(ctx, &s3.HeadObjectInput{Key: &key, IfMatch: &e.DestinationETag})
	}
	switch {
	case err == nil:
		return aws.ToString(found.VersionId) == e.DestinationVersionID, nil
	case awserr.Fatal(err), ctx.Err() != nil:
		return false, &ObjectError{Op: "look up copy of", Bucket: c.o.SourceBucket, Key: e.Key, Err: err}
	default:
		return false, nil
	}
}

// headCopy asks what lies at the destination under the input's key.
func (c *Copier) headCopy(ctx context.Context, in *s3.HeadObjectInput) (head *s3.HeadObjectOutput, err error) {
	in.Bucket, in.ChecksumMode, in.ExpectedBucketOwner = &c.o.DestinationBucket, types.ChecksumModeEnabled, optional(c.o.DestinationAccount)
	err = c.withSlot(ctx, func(ctx context.Context) (err error) {
		head, err = c.o.Destination.HeadObject(ctx, in)
		return err
	})
	return head, err
}

// sameContent compares a checksum of the whole that both sides have; where they have none in common, a copy that was made
// long after its source is believed.
func sameContent(source, copied *s3.HeadObjectOutput) bool {
	theirs := headChecksums(copied)
	for i, ours := range headChecksums(source) {
		if ours.value != nil && theirs[i].value != nil {
			return *ours.value == *theirs[i].value
		}
	}
	return !aws.ToTime(copied.LastModified).Before(aws.ToTime(source.LastModified).Add(adoptMargin))
}

// headChecksums lists the checksums of a whole object; those of parts, which depend on how it was uploaded, are none.
func headChecksums(h *s3.HeadObjectOutput) []checksum {
	if h.ChecksumType == types.ChecksumTypeComposite {
		h = &s3.HeadObjectOutput{}
	}
	return []checksum{
		{"crc64nvme", h.ChecksumCRC64NVME},
		{"crc32", h.ChecksumCRC32},
		{"crc32c", h.ChecksumCRC32C},
		{"sha256", h.ChecksumSHA256},
		{"sha1", h.ChecksumSHA1},
	}
}
