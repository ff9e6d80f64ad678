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
	"syncd/internal/copier/annotation"
	"syncd/internal/copier/request"
	"syncd/internal/listing"
	"syncd/internal/transfer"
)

// source reads the state of source objects, except their content.
type source struct {
	api      sourceAPI
	place    transfer.Place
	settings transfer.Settings
	requests *request.Sender
}

func (s *source) failed(op, key string, err error) error {
	return &request.ObjectError{Op: op, Bucket: s.place.Bucket, Key: key, Err: err}
}

// lookup finds one key by listing it. The role needs no permission to read the object. The result
// ok is false if the key is not listed.
func (s *source) lookup(ctx context.Context, key string) (object listing.Object, ok bool, err error) {
	return lookup(ctx, s.requests, s.api, s.place, key)
}

// annotations reads the annotations of source objects.
func (s *source) annotations() annotation.Side {
	return annotation.Side{API: s.api, Place: s.place, Requests: s.requests}
}

// answers lists at most one key, and returns the error of the listing.
func (s *source) answers(ctx context.Context) error {
	_, _, err := s.lookup(ctx, s.place.Prefix)
	return err
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

// look returns the current source object. The error has class gone if the object does not exist. S3
// returns 404 for a missing object only to a role that has permission to list the bucket without
// conditions; other roles get 403. After either response look lists that key, for which permission
// to list the source's prefix is sufficient.
func (s *source) look(ctx context.Context, key string) (listing.Object, error) {
	object, err := s.lookDirectly(ctx, key)
	class := awserr.Classify(err)
	if class != awserr.Gone && class != awserr.Denied {
		return object, err
	}
	listed, isListed, listErr := s.lookup(ctx, key)
	switch {
	case awserr.Classify(listErr) == awserr.Denied:
		return listing.Object{}, err // the listing failed, so return the first response
	case listErr != nil:
		return listing.Object{}, s.failed("look up", key, listErr)
	case !isListed:
		return listing.Object{}, s.failed("look up", key, errGone)
	case class == awserr.Denied:
		return listing.Object{}, err
	}
	if again, err := s.lookDirectly(ctx, key); awserr.Classify(err) != awserr.Gone {
		return again, err // the object was written between the two requests
	}
	return listing.Object{}, s.failed("look up", key, fmt.Errorf("%w: ETag %s", ErrInconsistent, listed.ETag))
}

// isStillListed checks whether the source still lists a key that it reports as absent. Without this
// check, every pass would find such a key in its listing and report the object as gone. The listing
// starts after listedAfter, as the listing of the pass did.
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

// isAbsent reports whether a denied source object does not exist, according to a listing of its
// key. S3 checks s3:ListBucket before it reports a key as absent. So if the denial names another
// permission, the object exists.
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
			head, err = s.api.HeadObject(ctx, in) // the read succeeded, so the cause of the failure, such as an expired session, is gone
		}
		return err
	})
	if err != nil {
		return nil, s.failed("look up", key, err)
	}
	return head, nil
}

// lengthOf returns the length of an object. Some services do not return the length with the head.
// For these, lengthOf sends a range request and reads the length from Content-Range (RFC 9110,
// section 14.4) or, if the service ignored the range, from Content-Length.
func (s *source) lengthOf(ctx context.Context, key string, head *s3.HeadObjectOutput) (length int64, err error) {
	if head.ContentLength != nil {
		return *head.ContentLength, nil
	}
	err = s.requests.Send(ctx, func(ctx context.Context) error {
		out, err := s.firstByte(ctx, key, head.ETag)
		if awserr.Code(err) == "InvalidRange" {
			return nil // the object is empty
		}
		if err != nil {
			return err
		}
		_ = out.Body.Close() // the body is not needed
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

// explained reads one byte of an object after a failed HEAD, because a response to HEAD has no body
// that explains the error. An expired token, a customer-provided key and a malformed request all
// return the same bare 400; an absent object and an absent bucket return the same 404.
func (s *source) explained(ctx context.Context, key string, etag *string) error {
	out, err := s.firstByte(ctx, key, etag)
	if awserr.Code(err) == "InvalidRange" {
		return nil // the object is empty
	}
	if err == nil {
		_ = out.Body.Close() // the body is not needed
	}
	return err
}

func (s *source) firstByte(ctx context.Context, key string, etag *string) (*s3.GetObjectOutput, error) {
	return s.api.GetObject(ctx, &s3.GetObjectInput{
		Bucket: &s.place.Bucket, Key: &key, IfMatch: etag, Range: aws.String("bytes=0-0"),
		ExpectedBucketOwner: s.place.ExpectedOwner(), RequestPayer: request.Payer(s.place),
	})
}
