package copier

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"

	"syncd/internal/awserr"
	"syncd/internal/deadline"
	"syncd/internal/listing"
	"syncd/internal/throttle"
	"syncd/internal/transfer"
)

// answerTimeout bounds the wait for the answer to one request, retries included but not what these wait for a rate: a
// connection that says nothing more must not end in a pass that never does. S3 may take minutes to copy 5 GiB from another
// region.
const answerTimeout = 30 * time.Minute

// Look returns the source object as it is now. An error is an *ObjectError, of class gone when there is none. S3 answers that
// an object is not there only to a role that may list the bucket under whatever conditions, and 403 to others; both are asked
// about with a listing of the key alone, which a role may that lists the source.
func (c *Copier) Look(ctx context.Context, key string) (listing.Object, error) {
	object, err := c.look(ctx, key)
	return object, c.alone(ctx, key, err)
}

func (c *Copier) look(ctx context.Context, key string) (listing.Object, error) {
	object, err := c.lookDirectly(ctx, key)
	class := awserr.Classify(err)
	if class != awserr.Gone && class != awserr.Denied {
		return object, err
	}
	listed, isListed, listErr := c.lookup(ctx, c.o.Source, c.o.SourcePlace.Bucket, c.o.SourcePlace.Account, key)
	switch {
	case awserr.Classify(listErr) == awserr.Denied:
		return listing.Object{}, err // the first answer is all there is
	case listErr != nil:
		return listing.Object{}, c.failed("look up", key, listErr)
	case !isListed:
		return listing.Object{}, c.failed("look up", key, errGone)
	case class == awserr.Denied:
		return listing.Object{}, err
	}
	if again, err := c.lookDirectly(ctx, key); awserr.Classify(err) != awserr.Gone {
		return again, err // it was written in between
	}
	return listing.Object{}, c.failed("look up", key, fmt.Errorf("%w: ETag %s", ErrInconsistent, listed.ETag))
}

// isStillListed tells an object that is gone from one that the source lists under a key which it does not have, and so would list
// and call gone in every pass: it lists once more what was listed.
func (j *job) isStillListed(ctx context.Context) (bool, error) {
	if !j.target.Listed {
		return false, nil
	}
	o := &j.c.o
	live := listing.Live{Client: o.Source, Bucket: o.SourcePlace.Bucket, Prefix: o.SourcePlace.Prefix, Account: o.SourcePlace.Account, RequestPayer: o.SourcePlace.RequestPayer}
	var still bool
	err := j.c.withSlot(ctx, func(ctx context.Context) (err error) {
		still, err = live.Relist(ctx, j.target.ListedAfter, j.object.Key)
		return err
	})
	if err != nil {
		return false, j.c.failed("look up", j.object.Key, err)
	}
	return still, nil
}

// isAbsent reports whether a source object that was denied is not there, as far as a listing of its key shows. A denial that
// names another permission than that to list, which is what S3 asks for before it calls a key absent, is of one that is there.
func (c *Copier) isAbsent(ctx context.Context, key string, denial error) bool {
	if action, _ := awserr.Refused(denial); action != "" && action != "s3:ListBucket" {
		return false
	}
	_, isListed, err := c.lookup(ctx, c.o.Source, c.o.SourcePlace.Bucket, c.o.SourcePlace.Account, key)
	return err == nil && !isListed
}

func (c *Copier) lookDirectly(ctx context.Context, key string) (listing.Object, error) {
	head, err := c.head(ctx, key, nil)
	if err != nil {
		return listing.Object{}, err
	}
	size, err := c.lengthOf(ctx, key, head)
	if err != nil {
		return listing.Object{}, c.failed("look up", key, err)
	}
	return listing.Object{
		Key: key, StorageClass: string(head.StorageClass),
		Version: transfer.Version{
			ETag: aws.ToString(head.ETag), Size: size, LastModified: aws.ToTime(head.LastModified), ID: aws.ToString(head.VersionId),
		},
	}, nil
}

func (c *Copier) head(ctx context.Context, key string, etag *string) (head *s3.HeadObjectOutput, err error) {
	err = c.withSlot(ctx, func(ctx context.Context) (err error) {
		in := &s3.HeadObjectInput{
			Bucket: &c.o.SourcePlace.Bucket, Key: &key, IfMatch: etag, ChecksumMode: types.ChecksumModeEnabled,
			ExpectedBucketOwner: optional(c.o.SourcePlace.Account), RequestPayer: c.payer(),
		}
		head, err = c.o.Source.HeadObject(ctx, in)
		if awserr.Code(err) != "BadRequest" && awserr.Classify(err) != awserr.Gone {
			return err
		}
		if err = c.explained(ctx, key, etag); err == nil {
			head, err = c.o.Source.HeadObject(ctx, in) // what was in the way is not any more, such as an expired session
		}
		return err
	})
	if err != nil {
		return nil, c.failed("look up", key, err)
	}
	return head, nil
}

// lengthOf returns the length of an object, which not every service tells with its head. The answer to a range then does
// (RFC 9110, section 14.4), or that of one who ignores the range.
func (c *Copier) lengthOf(ctx context.Context, key string, head *s3.HeadObjectOutput) (length int64, err error) {
	if head.ContentLength != nil {
		return *head.ContentLength, nil
	}
	err = c.withSlot(ctx, func(ctx context.Context) error {
		out, err := c.firstByte(ctx, key, head.ETag)
		if awserr.Code(err) == "InvalidRange" {
			return nil // of an empty object
		}
		if err != nil {
			return err
		}
		_ = out.Body.Close() // nothing is wanted of it
		if out.ContentRange == nil && out.ContentLength != nil {
			length = *out.ContentLength
			return nil
		}
		_, whole, _ := strings.Cut(aws.ToString(out.ContentRange), "/")
		if length, err = strconv.ParseInt(whole, 10, 64); err != nil {
			return errNoLength
		}
		return nil
	})
	return length, err
}

// explained asks for a byte of an object that a HEAD was refused for: the answer to a HEAD has no body. An expired token, a key
// that only the customer has, and a plainly wrong request all come as the same bare 400; an object and a bucket that are not
// there as the same 404.
func (c *Copier) explained(ctx context.Context, key string, etag *string) error {
	out, err := c.firstByte(ctx, key, etag)
	if awserr.Code(err) == "InvalidRange" {
		return nil // of an empty object
	}
	if err == nil {
		_ = out.Body.Close() // nothing is wanted of it
	}
	return err
}

func (c *Copier) firstByte(ctx context.Context, key string, etag *string) (*s3.GetObjectOutput, error) {
	return c.o.Source.GetObject(ctx, &s3.GetObjectInput{
		Bucket: &c.o.SourcePlace.Bucket, Key: &key, IfMatch: etag, Range: aws.String("bytes=0-0"),
		ExpectedBucketOwner: optional(c.o.SourcePlace.Account), RequestPayer: c.payer(),
	})
}

// Readable asks for a byte of the source object, and returns why it was refused. That takes the permissions to read the object and
// to decrypt it, and none at the destination.
func (c *Copier) Readable(ctx context.Context, key string) error {
	err := c.withSlot(ctx, func(ctx context.Context) error { return c.explained(ctx, key, nil) })
	if err != nil {
		return c.alone(ctx, key, c.failed("read", key, err))
	}
	return nil
}

// withSlot sends one request when there is a slot for it, and waits for its answer only so long.
func (c *Copier) withSlot(ctx context.Context, send func(context.Context) error) error {
	held, release, err := throttle.HoldSlot(ctx, c.o.Slots)
	if err != nil {
		return err
	}
	defer release()
	return deadline.Do(held, answerTimeout, send)
}

// waitBytes waits until n bytes of content may be copied. No slot is held meanwhile: others may have requests to send that
// move no content.
func (c *Copier) waitBytes(ctx context.Context, n int64) error {
	if c.o.Bytes == nil {
		return nil
	}
	return c.o.Bytes.Wait(ctx, n)
}

func (c *Copier) payer() types.RequestPayer {
	if c.o.SourcePlace.RequestPayer {
		return types.RequestPayerRequester
	}
	return ""
}

func (c *Copier) failed(op, key string, err error) error {
	return &ObjectError{Op: op, Bucket: c.o.SourcePlace.Bucket, Key: key, Err: err}
}

func optional(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}
