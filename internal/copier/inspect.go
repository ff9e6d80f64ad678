package copier

import (
	"context"
	"errors"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"

	"syncd/internal/awserr"
	"syncd/internal/checkpoint/record"
	"syncd/internal/copier/annotation"
	"syncd/internal/copier/inspection"
	"syncd/internal/copier/request"
	"syncd/internal/listing"
	"syncd/internal/plan"
)

// Inspect compares the recorded copy of an object with what a copy would be today: KMS key, bucket
// key, checksum, metadata, tags, annotations and lock. It takes a HEAD request on each side and, if tags
// are copied, a request for the tags on each side. If annotations are copied, it takes a request for their
// list on each side, and one for each annotation on each side. It returns one difference for each property
// that differs, and the kind DiffersUnchecked if a request about this object failed. The result hasMoved is
// true if the copy has been replaced or deleted since it was listed. Inspect returns an error only for
// failures that would also affect other requests.
//
// ACLs and website redirects are not compared.
func (c *Copier) Inspect(ctx context.Context, object listing.Object, e record.Entry) (found []plan.Difference, hasMoved bool, err error) {
	key, err := c.DestinationKey(object.Key)
	if err != nil {
		return nil, false, nil //nolint:nilerr // there is no copy under an invalid key
	}
	i := &inspected{shared: c.shared, key: key, entry: e}
	i.Object = object
	err = c.doubts.Alone(ctx, object.Key, c.guard(object.Key, func() error { return i.run(ctx) }))
	switch {
	case err == nil:
	case awserr.Fatal(err), ctx.Err() != nil:
		return nil, false, c.failed("inspect copy of", object.Key, err)
	case errors.Is(err, errSourceChanged):
		return nil, false, nil
	case errors.Is(err, errCopyMoved):
		return nil, true, nil
	default:
		i.Differs(plan.DiffersUnchecked, err.Error())
	}
	return i.Found, false, nil
}

var (
	// errSourceChanged means that the source object has changed since it was listed, so that it cannot be
	// compared.
	errSourceChanged = errors.New("the source object has changed")
	// errCopyMoved means that the copy was replaced or deleted since it was listed.
	errCopyMoved = errors.New("the copy was replaced or deleted")
)

// inspected is the inspection of one copy.
type inspected struct {
	inspection.Inspection
	*shared
	key   string // at the destination
	entry record.Entry
}

func (i *inspected) run(ctx context.Context) error {
	copied, err := i.headCopy(ctx)
	if err != nil {
		return err
	}
	// Other services than S3 need not support bucket keys, so there the copy must only be as it was.
	bucketKey := i.entry.BucketKey
	if i.o.ToS3 == nil || i.o.ToS3() {
		bucketKey = i.o.BucketKey
	}
	i.Key(copied, i.o.KeyARN, bucketKey)
	source, err := i.headSource(ctx)
	if err != nil {
		return err
	}
	i.Content(source, copied, i.entry.Checksum)
	if !i.o.OmitMetadata {
		i.Metadata(source, copied)
	}
	shown := len(i.Found)
	err = errors.Join(i.compareLock(ctx, source, copied), i.compareTags(ctx), i.compareAnnotations(ctx))
	if err != nil || len(i.Found) == shown {
		return err
	}
	return i.again(ctx)
}

// again returns an error if one side has changed meanwhile: tags, annotations and locks are read by key, so
// they could be those of another version.
func (i *inspected) again(ctx context.Context) error {
	if _, err := i.headSource(ctx); err != nil {
		return err
	}
	_, err := i.headCopy(ctx)
	return err
}

// headSource returns the head of the listed version of the source object.
func (i *inspected) headSource(ctx context.Context) (*s3.HeadObjectOutput, error) {
	head, err := i.source.head(ctx, i.Object.Key, &i.Object.ETag)
	if class := awserr.Classify(err); class == awserr.Gone || class == awserr.Precondition {
		err = errSourceChanged
	}
	return head, err
}

// headCopy returns the head of the listed object at the destination.
func (i *inspected) headCopy(ctx context.Context) (*s3.HeadObjectOutput, error) {
	head, err := i.destination.head(ctx, &s3.HeadObjectInput{Key: &i.key, IfMatch: &i.entry.DestinationETag})
	if class := awserr.Classify(err); class == awserr.Gone || class == awserr.Precondition {
		err = errCopyMoved
	}
	return head, err
}

// compareLock compares the lock. A head shows no lock both for an object without one and to a role
// without permission to read it, so a lock that a head does not show is read with a request of its own.
func (i *inspected) compareLock(ctx context.Context, source, copied *s3.HeadObjectOutput) error {
	must := lockOf(&i.o, source, i.entry.CopiedAt)
	if must.until != nil && !must.until.After(i.o.Now()) {
		must.until = nil // expired
	}
	want := inspection.Lock{
		Mode: must.mode, Until: aws.ToTime(must.until), IsCut: must.cut, IsHeld: must.hold == types.ObjectLockLegalHoldStatusOn,
		IsHeldByEvent: must.eventHold == types.ObjectLockEventHoldOn,
	}
	isHeld := copied.ObjectLockLegalHoldStatus == types.ObjectLockLegalHoldStatusOn
	found := inspection.Lock{Mode: copied.ObjectLockMode, Until: aws.ToTime(copied.ObjectLockRetainUntilDate), IsHeldByEvent: copied.ObjectLockEventHold == types.ObjectLockEventHoldOn}
	var err error
	if !want.Until.IsZero() && found.Until.IsZero() || want.IsHeldByEvent && !found.IsHeldByEvent {
		if found, err = i.destination.retention(ctx, i.key); err != nil {
			return err
		}
	}
	if want.IsHeld && !isHeld {
		if isHeld, err = i.destination.isHeld(ctx, i.key); err != nil {
			return err
		}
	}
	i.Retention(want, found)
	i.Hold(want, isHeld)
	return nil
}

// compareTags compares the tags, if they are copied.
func (i *inspected) compareTags(ctx context.Context) error {
	if i.o.OmitTags {
		return nil
	}
	want, err := i.source.readTags(ctx, i.Object.Key)
	if err != nil {
		return err
	}
	found, err := i.destination.readTags(ctx, i.key)
	if err == nil {
		i.Tags(want.set, found)
	}
	return err
}

// compareAnnotations compares the annotations, if they are copied.
func (i *inspected) compareAnnotations(ctx context.Context) error {
	if !i.o.Annotations {
		return nil
	}
	source, copied := annotation.Object{Side: i.source.annotations(), Key: i.Object.Key}, annotation.Object{Side: i.destination.annotations(), Key: i.key}
	names, err := annotation.Differing(ctx, i.annotating, source, copied)
	if len(names) > 0 {
		i.Differs(plan.DiffersAnnotations, strings.Join(names, ", "))
	}
	return err
}

// readTags reads the tags of a copy.
func (d *destination) readTags(ctx context.Context, key string) ([]types.Tag, error) {
	var out *s3.GetObjectTaggingOutput
	err := d.requests.Send(ctx, func(ctx context.Context) (err error) {
		out, err = d.api.GetObjectTagging(ctx, &s3.GetObjectTaggingInput{Bucket: &d.place.Bucket, Key: &key, ExpectedBucketOwner: d.place.ExpectedOwner()})
		return err
	})
	if err != nil {
		return nil, &request.ObjectError{Op: "read tags of copy", Bucket: d.place.Bucket, Key: key, Err: err}
	}
	return out.TagSet, nil
}

// retention reads the retention and the event hold of a copy.
func (d *destination) retention(ctx context.Context, key string) (found inspection.Lock, err error) {
	err = d.requests.Send(ctx, func(ctx context.Context) error {
		out, err := d.api.GetObjectRetention(ctx, &s3.GetObjectRetentionInput{Bucket: &d.place.Bucket, Key: &key, ExpectedBucketOwner: d.place.ExpectedOwner()})
		if err == nil && out.Retention != nil {
			found.Mode, found.Until = types.ObjectLockMode(out.Retention.Mode), aws.ToTime(out.Retention.RetainUntilDate)
			found.IsHeldByEvent = out.Retention.EventHold == types.ObjectLockEventHoldOn
		}
		return err
	})
	return found, d.lockError("read retention of copy", key, err)
}

// isHeld reports whether a copy has a legal hold.
func (d *destination) isHeld(ctx context.Context, key string) (isHeld bool, err error) {
	err = d.requests.Send(ctx, func(ctx context.Context) error {
		out, err := d.api.GetObjectLegalHold(ctx, &s3.GetObjectLegalHoldInput{Bucket: &d.place.Bucket, Key: &key, ExpectedBucketOwner: d.place.ExpectedOwner()})
		isHeld = err == nil && out.LegalHold != nil && out.LegalHold.Status == types.ObjectLockLegalHoldStatusOn
		return err
	})
	return isHeld, d.lockError("read legal hold of copy", key, err)
}

// lockError returns the error of a request that reads a lock. An object without the lock is no error.
func (d *destination) lockError(op, key string, err error) error {
	if err == nil {
		return nil
	}
	switch awserr.Code(err) {
	case "NoSuchObjectLockConfiguration", "ObjectLockConfigurationNotFoundError", "InvalidRequest": // InvalidRequest: the bucket has no Object Lock
		return nil
	}
	return &request.ObjectError{Op: op, Bucket: d.place.Bucket, Key: key, Err: err}
}
