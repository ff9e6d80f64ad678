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

// maxCompletions limits how often the request that completes an upload is sent, each time with
// another condition.
const maxCompletions = 3

// complete creates the object from the parts. If the response is lost, complete checks whether the
// object at the destination was created by this upload. If the condition on the destination is
// false, the parts still exist: complete checks the destination, and repeats the request if the
// object at the destination may be replaced.
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
				// If another writer created this object in the same second, this upload still
				// exists: abort it.
				_ = t.discard(ctx)
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
		// If the parts have another total size, the service returns an error and creates no object.
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

// contentSum returns the CRC64NVME that the object must have. If every part has a checksum,
// contentSum combines these checksums and returns an error if the result differs from the source's
// checksum. Otherwise it returns the source's checksum, which is "" if unknown.
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
		return "", fmt.Errorf("%w: source reports %s, content has %s", content.ErrChecksum, u.Sum, sum)
	}
	return sum, nil
}

// landed reports whether the object at the destination was created by this upload: the object has
// the size and checksum of the parts, is encrypted with the configured key, and its date is not
// before the start of the upload. S3 dates an object by the start of its upload ("Working with
// object metadata", Amazon S3 User Guide). The ETag would be better evidence, but the ETag of an
// object encrypted with KMS cannot be computed. If sum is "", landed returns false.
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
