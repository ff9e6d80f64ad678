package upload

import (
	"context"
	"fmt"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"

	"syncd/internal/awserr"
	"syncd/internal/copier/content"
)

// maxCompletions bounds how often the parts of one upload are completed under another condition.
const maxCompletions = 3

// complete makes the object of the parts. When the answer is lost, what is at the destination may
// prove that it was made. When the destination's condition does not hold the parts are not lost
// with it: what is there is looked at, and the completion sent again if it may be replaced.
func (u *upload) complete(ctx context.Context, t *Tracker) (Made, error) {
	sum, err := u.contentSum()
	if err != nil {
		return Made{}, u.failed("complete upload of", err)
	}
	var result Made
	for range maxCompletions {
		result, err = u.sendComplete(ctx, t.upload.BeganAt, sum)
		class := awserr.Classify(err)
		if class == awserr.Gone || class == awserr.Transient || class == awserr.Precondition {
			if landed, ok := u.landed(ctx, t.upload.BeganAt, sum); ok {
				_ = t.discard(ctx) // it is gone, unless another writer made the very same object in the same second
				return landed, nil
			}
		}
		if class != awserr.Precondition && awserr.Code(err) != "NoSuchKey" {
			break
		}
		if err := u.Target.Recheck(ctx); err != nil {
			return Made{}, err
		}
	}
	if err != nil {
		return Made{}, u.failed("complete upload of", err)
	}
	return result, nil
}

func (u *upload) sendComplete(ctx context.Context, began time.Time, sum string) (Made, error) {
	in := &s3.CompleteMultipartUploadInput{
		Bucket: &u.o.Destination.Bucket, Key: &u.Key, UploadId: &u.id, ExpectedBucketOwner: u.o.Destination.ExpectedOwner(),
		MultipartUpload: &types.CompletedMultipartUpload{Parts: u.parts},
		// A count of bytes that is off is refused by the service instead of becoming an object.
		MpuObjectSize: &u.Object.Size,
	}
	if u.o.Relay {
		in.ChecksumCRC64NVME, in.ChecksumType = &sum, types.ChecksumTypeFullObject
	}
	var out *s3.CompleteMultipartUploadOutput
	err := u.o.Requests.Send(ctx, func(ctx context.Context) error {
		return u.Target.Conditional(ctx, "CompleteMultipartUpload", func(ctx context.Context, ifMatch, ifNoneMatch *string) (err error) {
			in.IfMatch, in.IfNoneMatch = ifMatch, ifNoneMatch
			out, err = u.o.API.CompleteMultipartUpload(ctx, in)
			return err
		})
	})
	if err != nil {
		return Made{}, err
	}
	if sum != "" && out.ChecksumType != types.ChecksumTypeComposite {
		err = content.SameChecksum(sum, out.ChecksumCRC64NVME)
	}
	if err != nil {
		u.Target.AnsweredOddly(began)
		return Made{}, err
	}
	return u.result(Made{
		ETag: aws.ToString(out.ETag), VersionID: aws.ToString(out.VersionId),
		KeyARN: aws.ToString(out.SSEKMSKeyId), BucketKey: aws.ToBool(out.BucketKeyEnabled),
		Sum: aws.ToString(out.ChecksumCRC64NVME), At: u.o.Now(),
	}), nil
}

func (u *upload) result(m Made) Made {
	m.Parts, m.Resumed = len(u.parts), u.resumed
	return m
}

// contentSum returns the CRC64NVME that the object has to have: that of its parts behind each other
// where each has one, held to what the source says, or else the source's word alone; "" where
// neither tells.
func (u *upload) contentSum() (string, error) {
	var whole content.Joined
	for i, part := range u.parts {
		sum, ok := content.Decode(part.ChecksumCRC64NVME)
		if !ok {
			return u.Sum, nil
		}
		_, length := u.bounds(i)
		whole.Add(sum, length)
	}
	sum := content.Encode(whole.Sum())
	if u.Sum != "" && u.Sum != sum {
		return "", fmt.Errorf("%w: the source says %s, its content makes %s", content.ErrChecksum, u.Sum, sum)
	}
	return sum, nil
}

// landed reports whether the object at the destination is the one that this upload was to become:
// of the size and the checksum of its parts, under the configured key, and dated not before the
// upload began, which is what S3 dates such an object by ("Working with object metadata", Amazon S3
// User Guide). The ETag would prove more, but under KMS nobody can compute it. Where there is no
// checksum to compare there is no proof.
func (u *upload) landed(ctx context.Context, began time.Time, sum string) (Made, bool) {
	found, err := u.Target.Head(ctx)
	if err != nil || sum == "" || content.WholeSum(found.ChecksumType, found.ChecksumCRC64NVME) != sum || aws.ToInt64(found.ContentLength) != u.Object.Size {
		return Made{}, false
	}
	if aws.ToTime(found.LastModified).Before(began.Truncate(time.Second)) || !u.Target.IsKey(found.SSEKMSKeyId) {
		return Made{}, false
	}
	return u.result(Made{
		ETag: aws.ToString(found.ETag), VersionID: aws.ToString(found.VersionId),
		KeyARN: aws.ToString(found.SSEKMSKeyId), BucketKey: aws.ToBool(found.BucketKeyEnabled),
		Sum: sum, At: u.o.Now(),
	}), true
}
