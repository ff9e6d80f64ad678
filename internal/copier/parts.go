package copier

import (
	"context"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"

	"syncd/internal/copier/content"
	"syncd/internal/copier/precondition"
	"syncd/internal/copier/upload"
	"syncd/internal/plan"
)

// copyParts copies an object in parts. A multipart upload does not copy the properties of the
// source object. Therefore copyParts first reads the properties that CopyObject would have copied,
// and sets them when it creates the upload.
func (j *job) copyParts(ctx context.Context) (Result, error) {
	var head s3.HeadObjectOutput
	if j.o.ReadsHead(true) {
		found, err := j.source.head(ctx, j.object.Key, &j.object.ETag)
		if err != nil {
			return Result{}, err
		}
		head = *found
	}
	found, err := j.source.readTags(ctx, j.object.Key)
	if err != nil {
		return Result{}, err
	}
	d, err := draftOf(&j.o, j.key, j.object, &head, found)
	if err != nil {
		return Result{}, j.failed("copy", j.object.Key, err)
	}
	planned := j.plannedUpload()
	made, err := j.uploads.Make(ctx, j.upload, upload.Copy{
		Object: j.object, Key: j.key, PartSize: planned.PartSize, Planned: planned,
		Sum:   content.WholeSum(head.ChecksumType, head.ChecksumCRC64NVME),
		Draft: d, Target: uploadTarget{j}, Writer: j.writer,
	})
	if err != nil {
		return Result{}, err
	}
	return j.finished(ctx, d, Result{
		Object: j.object, DestinationKey: j.key, DestinationETag: made.ETag, DestinationVersionID: made.VersionID,
		KeyARN: made.KeyARN, BucketKey: made.BucketKey, Checksum: content.Named([]content.Checksum{{Algorithm: "crc64nvme", Value: &made.Sum}}),
		Parts: made.Parts, Resumed: made.Resumed, CopiedAt: made.At,
	})
}

// uploadTarget implements upload.Target for a job.
type uploadTarget struct{ j *job }

var _ upload.Target = uploadTarget{}

// Conditional sends the request that creates the object, with the condition that the job's standing
// requires.
func (t uploadTarget) Conditional(ctx context.Context, operation string, send func(ctx context.Context, ifMatch, ifNoneMatch *string) error) error {
	return t.j.conditional(ctx, operation, func(ctx context.Context, under precondition.Condition) error {
		return send(ctx, under.IfMatch(), under.IfNoneMatch())
	})
}

// Recheck checks the destination again, and returns an error if the object there is foreign.
func (t uploadTarget) Recheck(ctx context.Context) error {
	if err := t.j.standing.look(ctx); err != nil {
		return err
	}
	if t.j.standing.verdict(t.j.object).foreign {
		return t.j.standing.foreign(t.j.object)
	}
	return nil
}

// Head returns the head of the object at the destination.
func (t uploadTarget) Head(ctx context.Context) (*s3.HeadObjectOutput, error) {
	return t.j.destination.head(ctx, &s3.HeadObjectInput{Key: &t.j.key})
}

// IsKey reports whether a KMS key is the configured key.
func (t uploadTarget) IsKey(answered *string) bool {
	return plan.SameKey(aws.ToString(answered), t.j.o.KeyARN)
}

// UnderKey returns an error if the KMS key of an upload is not the configured key, so that no
// content is copied into such an upload. If the service names no key, UnderKey returns nil, and the
// key is checked after the copy.
func (t uploadTarget) UnderKey(answered *string) error {
	if aws.ToString(answered) == "" || t.IsKey(answered) {
		return nil
	}
	return t.j.underAnotherKey(t.j.key, *answered)
}

// Vanished records that an upload no longer exists. It may have been completed.
func (t uploadTarget) Vanished(beganAt time.Time) { t.j.standing.begun = beganAt }

// AnsweredOddly records that the object may have been created although the response was invalid.
func (t uploadTarget) AnsweredOddly(beganAt time.Time) { t.j.standing.answeredOddly(beganAt) }
