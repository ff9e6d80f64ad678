package copier

import (
	"context"
	"fmt"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"

	"syncd/internal/awserr"
	"syncd/internal/plan"
)

// maxCompletions bounds how often the parts of one upload are completed under another condition.
const maxCompletions = 3

// complete makes the object of the parts. When the answer is lost, what is at the destination may prove that it was made. When
// the destination's condition does not hold the parts are not lost with it: what is there is looked at, and the completion sent
// again if it may be replaced.
func (u *upload) complete(ctx context.Context, r *remembered) (Result, error) {
	sum, err := u.contentSum()
	if err != nil {
		return Result{}, u.c.failed("complete upload of", u.object.Key, err)
	}
	var result Result
	for range maxCompletions {
		result, err = u.sendComplete(ctx, sum)
		class := awserr.Classify(err)
		if class == awserr.Gone || class == awserr.Transient || class == awserr.Precondition {
			if landed, ok := u.landed(ctx, r.upload.BeganAt, sum); ok {
				_ = r.discard(ctx) // it is gone, unless another writer made the very same object in the same second
				return landed, nil
			}
		}
		if class != awserr.Precondition && awserr.Code(err) != "NoSuchKey" {
			break
		}
		if err := u.job.standing.look(ctx); err != nil {
			return Result{}, err
		}
		if u.job.standing.verdict(u.object).foreign {
			return Result{}, u.job.standing.foreign(u.object)
		}
	}
	if err != nil {
		return Result{}, u.c.failed("complete upload of", u.object.Key, err)
	}
	return result, nil
}

func (u *upload) sendComplete(ctx context.Context, sum string) (Result, error) {
	in := &s3.CompleteMultipartUploadInput{
		Bucket: &u.c.o.DestinationPlace.Bucket, Key: &u.key, UploadId: &u.id, ExpectedBucketOwner: optional(u.c.o.DestinationPlace.Account),
		MultipartUpload: &types.CompletedMultipartUpload{Parts: u.parts},
		// A count of bytes that is off is refused by the service instead of becoming an object.
		MpuObjectSize: &u.object.Size,
	}
	if u.c.o.Relay {
		in.ChecksumCRC64NVME, in.ChecksumType = &sum, types.ChecksumTypeFullObject
	}
	var out *s3.CompleteMultipartUploadOutput
	err := u.c.withSlot(ctx, func(ctx context.Context) error {
		return u.job.conditional(ctx, "CompleteMultipartUpload", func(ctx context.Context, under condition) (err error) {
			in.IfMatch, in.IfNoneMatch = under.ifMatch(), under.ifNoneMatch()
			out, err = u.c.o.Destination.CompleteMultipartUpload(ctx, in)
			return err
		})
	})
	if err != nil {
		return Result{}, err
	}
	if sum != "" && out.ChecksumType != types.ChecksumTypeComposite {
		err = sameChecksum(sum, out.ChecksumCRC64NVME)
	}
	if err != nil {
		u.job.standing.answeredOddly(u.job.writtenSince())
		return Result{}, err
	}
	return u.result(Result{
		DestinationETag: aws.ToString(out.ETag), DestinationVersionID: aws.ToString(out.VersionId),
		KeyARN: aws.ToString(out.SSEKMSKeyId), BucketKey: aws.ToBool(out.BucketKeyEnabled),
		Checksum: checksumOf([]checksum{{"crc64nvme", out.ChecksumCRC64NVME}}), CopiedAt: u.c.o.Now(),
	}), nil
}

func (u *upload) result(r Result) Result {
	r.Object, r.DestinationKey, r.Parts, r.Resumed = u.object, u.key, len(u.parts), u.resumed
	return r
}

// contentSum returns the CRC64NVME that the object has to have: that of its parts behind each other where each has one,
// held to what the source says, or else the source's word alone; "" where neither tells.
func (u *upload) contentSum() (string, error) {
	whole, past := uint64(0), shiftPast(u.partSize)
	for i, part := range u.parts {
		sum, ok := decode(part.ChecksumCRC64NVME)
		if !ok {
			return u.sourceSum, nil
		}
		if _, length := u.bounds(i); length != u.partSize {
			past = shiftPast(length)
		}
		whole = past.of(whole) ^ sum
	}
	sum := encode(whole)
	if u.sourceSum != "" && u.sourceSum != sum {
		return "", fmt.Errorf("%w: the source says %s, its content makes %s", ErrChecksum, u.sourceSum, sum)
	}
	return sum, nil
}

// landed reports whether the object at the destination is the one that this upload was to become: of the size and
// the checksum of its parts, under the configured key, and dated not before the upload began, which is what S3 dates such
// an object by ("Working with object metadata", Amazon S3 User Guide). The ETag would prove more, but under KMS nobody can
// compute it. Where there is no checksum to compare there is no proof.
func (u *upload) landed(ctx context.Context, began time.Time, sum string) (Result, bool) {
	found, err := u.c.headCopy(ctx, &s3.HeadObjectInput{Key: &u.key})
	if err != nil || sum == "" || wholeSum(found) != sum || aws.ToInt64(found.ContentLength) != u.object.Size {
		return Result{}, false
	}
	if aws.ToTime(found.LastModified).Before(began.Truncate(time.Second)) || !plan.SameKey(aws.ToString(found.SSEKMSKeyId), u.c.o.KeyARN) {
		return Result{}, false
	}
	return u.result(Result{
		DestinationETag: aws.ToString(found.ETag), DestinationVersionID: aws.ToString(found.VersionId),
		KeyARN: aws.ToString(found.SSEKMSKeyId), BucketKey: aws.ToBool(found.BucketKeyEnabled),
		Checksum: "crc64nvme:" + sum, CopiedAt: u.c.o.Now(),
	}), true
}

// wholeSum returns the CRC64NVME of a whole object, "" where HEAD tells none.
func wholeSum(head *s3.HeadObjectOutput) string {
	if head.ChecksumType == types.ChecksumTypeComposite {
		return ""
	}
	return aws.ToString(head.ChecksumCRC64NVME)
}
