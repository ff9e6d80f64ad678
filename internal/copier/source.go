package copier

import (
	"context"
	"fmt"
	"strconv"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"

	"syncd/internal/awserr"
	"syncd/internal/copier/request"
	"syncd/internal/listing"
	"syncd/internal/transfer"
)

// source is where objects come from, as it is asked about them beside their content.
type source struct {
	api      sourceAPI
	place    transfer.Place
	settings transfer.Settings
	requests *request.Sender
}

func (s *source) failed(op, key string, err error) error {
	return &request.ObjectError{Op: op, Bucket: s.place.Bucket, Key: key, Err: err}
}

// lookup finds one key by listing it. What may be listed need not be readable, and what is not
// there is not listed.
func (s *source) lookup(ctx context.Context, key string) (object listing.Object, ok bool, err error) {
	return lookup(ctx, s.requests, s.api, s.place, key)
}

// lookup finds one key of a place by listing it.
func lookup(ctx context.Context, requests *request.Sender, client listing.API, at transfer.Place, key string) (object listing.Object, ok bool, err error) {
	live := listing.Live{Client: client, Place: at}
	err = requests.Send(ctx, func(ctx context.Context) (err error) {
		object, ok, err = live.Lookup(ctx, key)
		return err
	})
	return object, ok, err
}

// look returns the source object as it is now. An error is of class gone when there is none. S3
// answers that an object is not there only to a role that may list the bucket under whatever
// conditions, and 403 to others; both are asked about with a listing of the key alone, which a role
// may that lists the source.
func (s *source) look(ctx context.Context, key string) (listing.Object, error) {
	object, err := s.lookDirectly(ctx, key)
	class := awserr.Classify(err)
	if class != awserr.Gone && class != awserr.Denied {
		return object, err
	}
	listed, isListed, listErr := s.lookup(ctx, key)
	switch {
	case awserr.Classify(listErr) == awserr.Denied:
		return listing.Object{}, err // the first answer is all there is
	case listErr != nil:
		return listing.Object{}, s.failed("look up", key, listErr)
	case !isListed:
		return listing.Object{}, s.failed("look up", key, errGone)
	case class == awserr.Denied:
		return listing.Object{}, err
	}
	if again, err := s.lookDirectly(ctx, key); awserr.Classify(err) != awserr.Gone {
		return again, err // it was written in between
	}
	return listing.Object{}, s.failed("look up", key, fmt.Errorf("%w: ETag %s", ErrInconsistent, listed.ETag))
}

// isStillListed tells an object that is gone from one that the source lists under a key which it
// does not have, and so would list and call gone in every pass: it lists once more what was listed
// after the key before it.
func (s *source) isStillListed(ctx context.Context, key, listedAfter string) (still bool, err error) {
	live := listing.Live{Client: s.api, Place: s.place}
	err = s.requests.Send(ctx, func(ctx context.Context) (err error) {
		still, err = live.Relist(ctx, listedAfter, key)
		return err
	})
	if err != nil {
		return false, s.failed("look up", key, err)
	}
	return still, nil
}

// isAbsent reports whether a source object that was denied is not there, as far as a listing of its
// key shows. A denial that names another permission than that to list, which is what S3 asks for
// before it calls a key absent, is of one that is there.
func (s *source) isAbsent(ctx context.Context, key string, denial error) bool {
	if action, _ := awserr.Refused(denial); action != "" && action != "s3:ListBucket" {
		return false
	}
	_, isListed, err := s.lookup(ctx, key)
	return err == nil && !isListed
}

func (s *source) lookDirectly(ctx context.Context, key string) (listing.Object, error) {
	head, err := s.head(ctx, key, nil)
	if err != nil {
		return listing.Object{}, err
	}
	size, err := s.lengthOf(ctx, key, head)
	if err != nil {
		return listing.Object{}, s.failed("look up", key, err)
	}
	return listing.Object{
		Key: key, StorageClass: string(head.StorageClass),
		Version: transfer.Version{
			ETag: aws.ToString(head.ETag), Size: size, LastModified: aws.ToTime(head.LastModified), ID: aws.ToString(head.VersionId),
		},
	}, nil
}

func (s *source) head(ctx context.Context, key string, etag *string) (head *s3.HeadObjectOutput, err error) {
	err = s.requests.Send(ctx, func(ctx context.Context) (err error) {
		in := &s3.HeadObjectInput{
			Bucket: &s.place.Bucket, Key: &key, IfMatch: etag, ChecksumMode: types.ChecksumModeEnabled,
			ExpectedBucketOwner: s.place.ExpectedOwner(), RequestPayer: request.Payer(s.place),
		}
		head, err = s.api.HeadObject(ctx, in)
		if awserr.Code(err) != "BadRequest" && awserr.Classify(err) != awserr.Gone {
			return err
		}
		if err = s.explained(ctx, key, etag); err == nil {
			head, err = s.api.HeadObject(ctx, in) // what was in the way is not any more, such as an expired session
		}
		return err
	})
	if err != nil {
		return nil, s.failed("look up", key, err)
	}
	return head, nil
}

// lengthOf returns the length of an object, which not every service tells with its head. The answer
// to a range then does (RFC 9110, section 14.4), or that of one who ignores the range.
func (s *source) lengthOf(ctx context.Context, key string, head *s3.HeadObjectOutput) (length int64, err error) {
	if head.ContentLength != nil {
		return *head.ContentLength, nil
	}
	err = s.requests.Send(ctx, func(ctx context.Context) error {
		out, err := s.firstByte(ctx, key, head.ETag)
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

// explained asks for a byte of an object that a HEAD was refused for: the answer to a HEAD has no
// body. An expired token, a key that only the customer has, and a plainly wrong request all come as
// the same bare 400; an object and a bucket that are not there as the same 404.
func (s *source) explained(ctx context.Context, key string, etag *string) error {
	out, err := s.firstByte(ctx, key, etag)
	if awserr.Code(err) == "InvalidRange" {
		return nil // of an empty object
	}
	if err == nil {
		_ = out.Body.Close() // nothing is wanted of it
	}
	return err
}

func (s *source) firstByte(ctx context.Context, key string, etag *string) (*s3.GetObjectOutput, error) {
	return s.api.GetObject(ctx, &s3.GetObjectInput{
		Bucket: &s.place.Bucket, Key: &key, IfMatch: etag, Range: aws.String("bytes=0-0"),
		ExpectedBucketOwner: s.place.ExpectedOwner(), RequestPayer: request.Payer(s.place),
	})
}
