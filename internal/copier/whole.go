package copier

import (
	"context"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"

	"syncd/internal/awserr"
	"syncd/internal/copier/content"
	"syncd/internal/copier/precondition"
	"syncd/internal/copier/request"
	"syncd/internal/transfer"
)

// copyWhole copies an object server-side in one request. It sends one more request if a lock must
// be carried over, and another if only some tags are copied.
func (j *job) copyWhole(ctx context.Context) (Result, error) {
	object := j.object
	d, err := j.draftOfWhole(ctx)
	if err != nil {
		return Result{}, err
	}
	if err := j.requests.WaitBytes(ctx, object.Size); err != nil {
		return Result{}, j.failed("copy", object.Key, err)
	}
	out, err := j.sendCopy(ctx, d)
	if err != nil {
		failure := &request.ObjectError{Op: "copy", Bucket: j.o.SourcePlace.Bucket, Key: object.Key, Err: err}
		switch text := awserr.Brief(err); {
		case strings.Contains(text, "ObjectTagging"):
			failure.Hint = hintTags(err)
		case strings.Contains(text, "ObjectAnnotation"):
			failure.Hint = hintAnnotations(err)
		}
		return Result{}, failure
	}
	made, err := j.confirmed(ctx, Result{
		Object: object, DestinationKey: j.key,
		DestinationETag: aws.ToString(out.CopyObjectResult.ETag), DestinationVersionID: aws.ToString(out.VersionId),
		KeyARN: aws.ToString(out.SSEKMSKeyId), BucketKey: aws.ToBool(out.BucketKeyEnabled),
		Checksum: content.Named(content.OfCopy(out.CopyObjectResult)), CopiedAt: j.o.Now(), Notes: d.notes,
	})
	if err == nil {
		err = j.tagLate(ctx, d, made)
	}
	if err != nil {
		return Result{}, err
	}
	return made, nil
}

// draftOfWhole returns the properties that the service does not copy in a CopyObject request: the
// lock, and the tags if only some tags are copied.
func (j *job) draftOfWhole(ctx context.Context) (*draft, error) {
	d := &draft{o: &j.o, key: j.key}
	if j.o.ReadsHead(false) {
		head, err := j.source.head(ctx, j.object.Key, &j.object.ETag)
		if err != nil {
			return nil, err
		}
		d.notes = notesOf(head)
		d.setLock(lockOf(&j.o, head, j.o.Now()))
	}
	if j.o.ReadsTags(false) {
		found, err := j.source.readTags(ctx, j.object.Key)
		if err != nil {
			return nil, err
		}
		d.tags = found
	}
	return d, nil
}

// sendCopy sends the copy. If the copy is refused because of its tags, sendCopy repeats it without
// tags.
func (j *job) sendCopy(ctx context.Context, d *draft) (out *s3.CopyObjectOutput, err error) {
	in := j.copyInput()
	in.ObjectLockMode, in.ObjectLockRetainUntilDate, in.ObjectLockLegalHoldStatus = d.lock.mode, d.lock.until, d.lock.hold
	in.ObjectLockEventHold, in.ObjectLockEventHoldDurationDays, in.ObjectLockEventHoldDurationYears = d.lock.eventHold, d.lock.days, d.lock.years
	for {
		in.Tagging = request.Optional(d.tags.header)
		err = j.requests.Send(ctx, func(ctx context.Context) error {
			return j.conditional(ctx, "CopyObject", func(ctx context.Context, under precondition.Condition) (err error) {
				in.IfMatch, in.IfNoneMatch = under.IfMatch(), under.IfNoneMatch()
				out, err = j.o.Destination.CopyObject(ctx, in)
				return err
			})
		})
		if err == nil || !d.DeferTags(err) {
			return out, err
		}
	}
}

func (j *job) copyInput() *s3.CopyObjectInput {
	o := &j.o
	in := &s3.CopyObjectInput{
		Bucket: &o.DestinationPlace.Bucket, Key: &j.key,
		CopySource: aws.String(transfer.CopySource(o.SourcePlace.Bucket, j.object.Key)), CopySourceIfMatch: &j.object.ETag,
		ExpectedBucketOwner: o.DestinationPlace.ExpectedOwner(), ExpectedSourceBucketOwner: o.SourcePlace.ExpectedOwner(),
		ServerSideEncryption: types.ServerSideEncryptionAwsKms, SSEKMSKeyId: &o.KeyARN, BucketKeyEnabled: &o.BucketKey,
		StorageClass: types.StorageClass(o.ClassOf(j.object.StorageClass)), ACL: types.ObjectCannedACL(o.ACL),
		// By default S3 copies annotations, which needs permissions for annotations on both sides
		// that few policies grant.
		AnnotationDirective: types.AnnotationDirectiveExclude,
		RequestPayer:        request.Payer(o.SourcePlace),
	}
	if o.Annotations {
		in.AnnotationDirective = types.AnnotationDirectiveCopy
	}
	if o.OmitMetadata {
		in.MetadataDirective = types.MetadataDirectiveReplace
	}
	if o.OmitTags || j.o.ChoosesTags() {
		in.TaggingDirective = types.TaggingDirectiveReplace
	}
	return in
}
