package listing

import (
	"context"
	"fmt"
	"iter"
	"net/url"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"

	"syncd/internal/awserr"
	"syncd/internal/transfer"
)

// pageKeys is the most that one ListObjectsV2 answers (Amazon S3 API Reference, ListObjectsV2, MaxKeys).
const pageKeys = 1000

// pageTimeout bounds the wait for a page, retries included: a connection that says nothing more must not end in a pass
// that never does.
const pageTimeout = 2 * time.Minute

type listAPI interface {
	ListObjectsV2(ctx context.Context, in *s3.ListObjectsV2Input, opts ...func(*s3.Options)) (*s3.ListObjectsV2Output, error)
}

// Live lists a bucket with ListObjectsV2.
type Live struct {
	// Client signs and sends; its region must be the bucket's.
	Client listAPI
	// Bucket is the bucket to list.
	Bucket string
	// Prefix limits the listing to keys that begin with it; it may be empty.
	Prefix string
	// Account is sent as the expected bucket owner; empty sends none.
	Account string
	// RequestPayer says that this side pays for its requests, as requester-pays buckets ask.
	RequestPayer bool
}

// String names the bucket and prefix, for messages.
func (l Live) String() string { return "s3://" + l.Bucket + "/" + l.Prefix }

// List yields the objects of r in key order. The sequence ends after the first error.
//
// Each page starts behind the last key seen, not from a continuation token, so that a listing can be taken up anywhere;
// an object that is deleted while the listing passes does not disturb it.
func (l Live) List(ctx context.Context, r Range) iter.Seq2[Object, error] {
	return func(yield func(Object, error) bool) {
		cursor, more := r.After, true
		for more {
			var page []Object
			var err error
			page, more, err = l.page(ctx, cursor)
			for _, object := range page {
				if !r.Contains(object.Key) || !yield(object, nil) {
					return
				}
				cursor = object.Key
			}
			if err != nil {
				yield(Object{}, err)
				return
			}
		}
	}
}

// page returns the objects behind the cursor, as many as the service answers at once, and whether there are more. With an
// error it returns those before it.
func (l Live) page(ctx context.Context, cursor string) (page []Object, more bool, err error) {
	out, err := l.request(ctx, cursor)
	if err != nil {
		return nil, false, err
	}
	page = make([]Object, 0, len(out.Contents))
	for _, listed := range out.Contents {
		object, err := l.object(listed, cursor)
		if err != nil {
			return page, false, err
		}
		page, cursor = append(page, object), object.Key
	}
	more = aws.ToBool(out.IsTruncated)
	if more && len(page) == 0 {
		return nil, false, fmt.Errorf("list %s after %q: the service says there is more but answers an empty page", l, cursor)
	}
	return page, more, nil
}

func (l Live) request(ctx context.Context, cursor string) (*s3.ListObjectsV2Output, error) {
	in := &s3.ListObjectsV2Input{
		Bucket:  &l.Bucket,
		MaxKeys: aws.Int32(pageKeys),
		// Without it a key that holds a control character makes the page unreadable XML.
		EncodingType: types.EncodingTypeUrl,
	}
	if l.Prefix != "" {
		in.Prefix = &l.Prefix
	}
	if cursor != "" {
		in.StartAfter = &cursor
	}
	if l.Account != "" {
		in.ExpectedBucketOwner = &l.Account
	}
	if l.RequestPayer {
		in.RequestPayer = types.RequestPayerRequester
	}
	bounded, cancel := context.WithTimeout(ctx, pageTimeout)
	defer cancel()
	page, err := l.Client.ListObjectsV2(bounded, in)
	if err != nil && bounded.Err() != nil && ctx.Err() == nil {
		// The SDK's error would look like a listing that was canceled.
		err = fmt.Errorf("no answer within %s: %w", pageTimeout, context.DeadlineExceeded)
	}
	if err != nil {
		return nil, fmt.Errorf("list %s: %w", l, awserr.Plain(err))
	}
	return page, nil
}

// object decodes one line of a page and checks that it comes behind the last one.
func (l Live) object(listed types.Object, cursor string) (Object, error) {
	// The SDK hands the form-encoded key through as it came.
	key, err := url.QueryUnescape(aws.ToString(listed.Key))
	if err != nil {
		return Object{}, fmt.Errorf("list %s: decode key %q: %w", l, aws.ToString(listed.Key), err)
	}
	if key <= cursor {
		return Object{}, fmt.Errorf("list %s: key %q came after %q: the service does not list in key order (directory buckets do not), and syncd needs that", l, key, cursor)
	}
	return Object{
		Key: key,
		Version: transfer.Version{
			ETag: aws.ToString(listed.ETag), Size: aws.ToInt64(listed.Size), LastModified: aws.ToTime(listed.LastModified),
		},
		StorageClass: string(listed.StorageClass),
	}, nil
}
