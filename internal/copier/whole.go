package copier

import (
	"context"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"

	"syncd/internal/awserr"
	"syncd/internal/listing"
)

// copyWhole copies an object server-side in one request, or two where a lock is to be carried over.
func (c *Copier) copyWhole(ctx context.Context, object listing.Object, key string) (Result, error) {
	in := c.copyInput(object, key)
	var notes []string
	if c.o.ObjectLock {
		head, err := c.head(ctx, object.Key, &object.ETag)
		if err != nil {
			return Result{}, err
		}
		l := c.lockOf(head)
		in.ObjectLockMode, in.ObjectLockRetainUntilDate, in.ObjectLockLegalHoldStatus = l.mode, l.until, l.hold
		notes = notesOf(head)
	}
	if err := c.waitBytes(ctx, object.Size); err != nil {
		return Result{}, c.failed("copy", object.Key, err)
	}
	var out *s3.CopyObjectOutput
	err := c.withSlot(ctx, func(ctx context.Context) (err error) {
		out, err = c.o.Destination.CopyObject(ctx, in)
		return err
	})
	if err != nil {
		failure := &ObjectError{Op: "copy", Bucket: c.o.SourceBucket, Key: object.Key, Err: err}
		if strings.Contains(awserr.Brief(err), "ObjectTagging") {
			failure.Hint = hintTags(err)
		}
		return Result{}, failure
	}
	if out.CopyObjectResult == nil {
		return Result{}, c.failed("copy", object.Key, errEmptyAnswer)
	}
	return c.confirmed(ctx, Result{
		Object: object, DestinationKey: key,
		DestinationETag: aws.ToString(out.CopyObjectResult.ETag), DestinationVersionID: aws.ToString(out.VersionId),
		KeyARN: aws.ToString(out.SSEKMSKeyId), BucketKey: aws.ToBool(out.BucketKeyEnabled),
		Checksum: checksumOf(copyChecksums(out.CopyObjectResult)), CopiedAt: c.o.Now(), Notes: notes,
	})
}

func (c *Copier) copyInput(object listing.Object, key string) *s3.CopyObjectInput {
	in := &s3.CopyObjectInput{
		Bucket: &c.o.DestinationBucket, Key: &key,
		CopySource: aws.String(copySource(c.o.SourceBucket, object.Key)), CopySourceIfMatch: &object.ETag,
		ExpectedBucketOwner: optional(c.o.DestinationAccount), ExpectedSourceBucketOwner: optional(c.o.SourceAccount),
		ServerSideEncryption: types.ServerSideEncryptionAwsKms, SSEKMSKeyId: &c.o.KeyARN, BucketKeyEnabled: &c.o.BucketKey,
		StorageClass: c.storageClass(object),
		// The default would ask both sides for permissions on annotations that hardly any policy grants.
		AnnotationDirective: types.AnnotationDirectiveExclude,
		RequestPayer:        c.payer(),
	}
	if c.o.OmitMetadata {
		in.MetadataDirective = types.MetadataDirectiveReplace
	}
	if c.o.OmitTags {
		in.TaggingDirective = types.TaggingDirectiveReplace
	}
	return in
}
