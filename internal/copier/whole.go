package copier

import (
	"context"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"

	"syncd/internal/awserr"
)

// copyWhole copies an object server-side in one request, or two where a lock is to be carried over.
func (j *job) copyWhole(ctx context.Context) (Result, error) {
	c, object := j.c, j.object
	in := j.copyInput()
	var notes []string
	if c.o.ObjectLock {
		head, err := c.head(ctx, object.Key, &object.ETag)
		if err != nil {
			return Result{}, err
		}
		l := c.lockOf(head)
		in.ObjectLockMode, in.ObjectLockRetainUntilDate, in.ObjectLockLegalHoldStatus = l.mode, l.until, l.hold
		in.ObjectLockEventHold, in.ObjectLockEventHoldDurationDays, in.ObjectLockEventHoldDurationYears = l.eventHold, l.days, l.years
		notes = notesOf(head)
	}
	if err := c.waitBytes(ctx, object.Size); err != nil {
		return Result{}, c.failed("copy", object.Key, err)
	}
	var out *s3.CopyObjectOutput
	err := c.withSlot(ctx, func(ctx context.Context) error {
		return j.conditional(ctx, "CopyObject", func(ctx context.Context, under condition) (err error) {
			in.IfMatch, in.IfNoneMatch = under.ifMatch(), under.ifNoneMatch()
			out, err = c.o.Destination.CopyObject(ctx, in)
			return err
		})
	})
	if err != nil {
		failure := &ObjectError{Op: "copy", Bucket: c.o.SourceBucket, Key: object.Key, Err: err}
		switch text := awserr.Brief(err); {
		case strings.Contains(text, "ObjectTagging"):
			failure.Hint = hintTags(err)
		case strings.Contains(text, "ObjectAnnotation"):
			failure.Hint = hintAnnotations(err)
		}
		return Result{}, failure
	}
	return j.confirmed(ctx, Result{
		Object: object, DestinationKey: j.key,
		DestinationETag: aws.ToString(out.CopyObjectResult.ETag), DestinationVersionID: aws.ToString(out.VersionId),
		KeyARN: aws.ToString(out.SSEKMSKeyId), BucketKey: aws.ToBool(out.BucketKeyEnabled),
		Checksum: checksumOf(copyChecksums(out.CopyObjectResult)), CopiedAt: c.o.Now(), Notes: notes,
	})
}

func (j *job) copyInput() *s3.CopyObjectInput {
	o := &j.c.o
	in := &s3.CopyObjectInput{
		Bucket: &o.DestinationBucket, Key: &j.key,
		CopySource: aws.String(copySource(o.SourceBucket, j.object.Key)), CopySourceIfMatch: &j.object.ETag,
		ExpectedBucketOwner: optional(o.DestinationAccount), ExpectedSourceBucketOwner: optional(o.SourceAccount),
		ServerSideEncryption: types.ServerSideEncryptionAwsKms, SSEKMSKeyId: &o.KeyARN, BucketKeyEnabled: &o.BucketKey,
		StorageClass: j.c.storageClass(j.object),
		// The default would ask both sides for permissions on annotations that hardly any policy grants.
		AnnotationDirective: types.AnnotationDirectiveExclude,
		RequestPayer:        j.c.payer(),
	}
	if o.Annotations {
		in.AnnotationDirective = types.AnnotationDirectiveCopy
	}
	if o.OmitMetadata {
		in.MetadataDirective = types.MetadataDirectiveReplace
	}
	if o.OmitTags {
		in.TaggingDirective = types.TaggingDirectiveReplace
	}
	return in
}
