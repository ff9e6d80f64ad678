package copier

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"

	"syncd/internal/awserr"
	"syncd/internal/copier/request"
	"syncd/internal/plan"
	"syncd/internal/transfer"
)

// confirmed returns an error if the copy is not encrypted with the configured key, so that the
// ledger never records such a copy. S3 returns the key in its response. Another service may not
// return the key, and a response from a cache may have the ETag of the previous object. In both
// cases confirmed requests the head of the returned version or ETag.
func (j *job) confirmed(ctx context.Context, r Result) (Result, error) {
	former := j.standing.known
	if j.standing.found != nil {
		former = j.standing.found.ETag
	}
	since := j.writtenSince()
	isFormer := former != "" && transfer.SameETag(r.DestinationETag, former)
	if r.KeyARN == "" || isFormer {
		in := &s3.HeadObjectInput{Key: &r.DestinationKey, IfMatch: &r.DestinationETag, VersionId: request.Optional(r.DestinationVersionID)}
		copied, err := j.destination.head(ctx, in)
		if err == nil && isFormer && !notBefore(aws.ToTime(copied.LastModified), since) {
			err = errFormer
		}
		if err != nil {
			j.standing.answeredOddly(since)
			return Result{}, &request.ObjectError{Op: "look up copy", Bucket: j.o.DestinationPlace.Bucket, Key: r.DestinationKey, Err: err}
		}
		r.KeyARN, r.BucketKey = aws.ToString(copied.SSEKMSKeyId), aws.ToBool(copied.BucketKeyEnabled)
	}
	j.standing.wrote(r.DestinationETag, since)
	if plan.SameKey(r.KeyARN, j.o.KeyARN) {
		return r, nil
	}
	return Result{}, j.underAnotherKey(r.DestinationKey, r.KeyARN)
}

// finished confirms a copy, and adds the tags and annotations that could not be sent with it.
func (j *job) finished(ctx context.Context, d *draft, made Result) (Result, error) {
	made.Notes = d.notes
	made, err := j.confirmed(ctx, made)
	if err == nil {
		err = j.tagLate(ctx, d, made)
	}
	if err == nil {
		err = j.annotate(ctx, made)
	}
	if err != nil {
		return Result{}, err
	}
	return made, nil
}

func (s *shared) underAnotherKey(key, answered string) error {
	err := fmt.Errorf("%w: got %q, configured %q", ErrWrongKey, answered, s.o.KeyARN)
	return &request.ObjectError{Op: "copy", Bucket: s.o.DestinationPlace.Bucket, Key: key, Err: err}
}

// tagLate sets the tags that do not fit in a header. If the bucket has versions, it sets them on
// the version that was just made. The ledger records the copy only after the tags are set: if the
// process is killed before that, the next process makes the copy again.
func (j *job) tagLate(ctx context.Context, d *draft, made Result) error {
	if !d.tags.late {
		return nil
	}
	err := j.writer.Write(ctx, func(ctx context.Context) error {
		_, err := j.o.Destination.PutObjectTagging(ctx, &s3.PutObjectTaggingInput{
			Bucket: &j.o.DestinationPlace.Bucket, Key: &made.DestinationKey, VersionId: request.Optional(made.DestinationVersionID),
			ExpectedBucketOwner: j.o.DestinationPlace.ExpectedOwner(), Tagging: &types.Tagging{TagSet: d.tags.set},
		})
		return err
	})
	switch class := awserr.Classify(err); class { //nolint:exhaustive // errors caused by the tags
	case "":
		return nil
	case awserr.Invalid, awserr.TooLarge, awserr.Unsupported:
		err = fmt.Errorf("%w: %w", errTagOverflow, err)
	case awserr.Gone, awserr.Precondition:
		// The copy was removed. The error's class is hidden, because the class gone would mean that
		// the source was removed.
		err = fmt.Errorf("%w: %s", errTagOverflow, awserr.Brief(err))
	}
	return &request.ObjectError{Op: "set tags of", Bucket: j.o.DestinationPlace.Bucket, Key: made.DestinationKey, Err: err, Hint: hintTags(err)}
}

// annotate adds the source's annotations to the copy, if the service does not copy them itself.
// Each write has the condition that the object is still this copy. Annotations are read by key, not
// by version. Therefore, if the source has annotations, it is checked again after they are read. As
// with late tags, the ledger records the copy only after its annotations are added.
func (j *job) annotate(ctx context.Context, made Result) error {
	key := j.object.Key
	if !j.o.Annotations {
		return nil
	}
	sizes, err := j.source.annotations().Sizes(ctx, key)
	if err != nil {
		return j.failed("list annotations of", key, err)
	}
	for _, name := range slices.Sorted(maps.Keys(sizes)) {
		if err := j.carryAnnotation(ctx, name, made); err != nil {
			return &request.ObjectError{Op: fmt.Sprintf("copy annotation %q of", name), Bucket: j.o.SourcePlace.Bucket, Key: key, Err: err, Hint: hintAnnotations(err)}
		}
	}
	if len(sizes) == 0 {
		return nil
	}
	_, err = j.source.head(ctx, key, &j.object.ETag)
	return err
}

// carryAnnotation copies one annotation.
func (j *job) carryAnnotation(ctx context.Context, name string, made Result) error {
	release, err := j.annotating.Acquire(ctx)
	if err != nil {
		return err
	}
	defer release()
	payload, err := j.source.annotations().Read(ctx, j.object.Key, name)
	if err != nil {
		return err
	}
	return j.writer.Write(ctx, func(ctx context.Context) error {
		_, err := j.o.Destination.PutObjectAnnotation(ctx, &s3.PutObjectAnnotationInput{
			Bucket: &j.o.DestinationPlace.Bucket, Key: &made.DestinationKey, AnnotationName: &name, ObjectIfMatch: &made.DestinationETag,
			AnnotationPayload: strings.NewReader(string(payload)), ChecksumAlgorithm: types.ChecksumAlgorithmCrc64nvme,
			ExpectedBucketOwner: j.o.DestinationPlace.ExpectedOwner(),
		})
		return err
	})
}
