package listing

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"

	"syncd/internal/awserr"
	"syncd/internal/deadline"
	"syncd/internal/transfer"
)

// pageKeys is the most that one ListObjectsV2 answers (Amazon S3 API Reference, ListObjectsV2,
// MaxKeys).
const pageKeys = 1000

// fewKeys is how many a page has where the first is the one that matters; others may have come
// before it.
const fewKeys = 4

// maxEmpty is how many pages without keys may follow each other. S3 answers few; a service that
// goes on so would never end.
const maxEmpty = 1000

// pageTimeout bounds the wait for a page, retries included: a connection that says nothing more
// must not end in a pass that never does. It leaves time for three attempts of a client that waits
// a minute for each.
const pageTimeout = 4 * time.Minute

// API is what a listing asks of S3. An *s3.Client is one.
type API interface {
	ListObjectsV2(ctx context.Context, in *s3.ListObjectsV2Input, opts ...func(*s3.Options)) (*s3.ListObjectsV2Output, error)
}

// Live lists a bucket with ListObjectsV2.
type Live struct {
	// Client signs and sends; its region must be the bucket's.
	Client API
	// Place is what is listed: the keys of a bucket that begin with a prefix.
	Place transfer.Place

	few bool // keys are wanted, so that the pages are short
}

// String names the bucket and prefix, for messages.
func (l Live) String() string { return l.Place.String() }

// List yields the objects of r in key order. The sequence ends after the first error.
//
// Each page starts after the last key seen, not from a continuation token, so that a listing can be
// resumed anywhere; an object that is deleted while the listing passes does not disturb it. Only
// after a page without keys the token is all there is to continue with.
func (l Live) List(ctx context.Context, r Range) iter.Seq2[Object, error] {
	return func(yield func(Object, error) bool) {
		at := position{after: r.After}
		for more := true; more; {
			var page []Object
			var err error
			page, at, more, err = l.page(ctx, at)
			for _, object := range page {
				if !r.Contains(object.Key) || !yield(object, nil) {
					return
				}
			}
			if err != nil {
				yield(Object{}, err)
				return
			}
		}
	}
}

// Lookup returns the object of one key; ok is false when the bucket lists none. It takes no
// permission but that to list, and costs one request.
func (l Live) Lookup(ctx context.Context, key string) (object Object, ok bool, err error) {
	l.Place.Prefix = key
	in := l.input(position{})
	in.MaxKeys = aws.Int32(1)
	page, _, _, err := l.send(ctx, in, position{})
	if err != nil || len(page) == 0 || page[0].Key != key { // the shortest key that begins so is itself
		return Object{}, false, err
	}
	return page[0], true, nil
}

// Relist reports whether a listing shows the key after another one, as it did when both were
// listed. What a service lists under some other key than it has, it lists so again.
func (l Live) Relist(ctx context.Context, after, key string) (bool, error) {
	l.few = true
	for object, err := range l.List(ctx, Range{After: after}) {
		if err != nil || object.Key >= key {
			return err == nil && object.Key == key, err
		}
	}
	return false, nil
}

// position is where a listing stands: after a key, or at a token that the service gave with a page
// that had no keys, so many in turn.
type position struct {
	after string
	token *string
	empty int
}

// page returns the objects after a position, as many as the service answers at once, where to
// continue, and whether there are more. With an error it returns those before it.
func (l Live) page(ctx context.Context, at position) (page []Object, next position, more bool, err error) {
	return l.send(ctx, l.input(at), at)
}

func (l Live) input(at position) *s3.ListObjectsV2Input {
	in := &s3.ListObjectsV2Input{
		Bucket:  &l.Place.Bucket,
		MaxKeys: aws.Int32(pageKeys),
		// Without it a key that holds a control character makes the page unreadable XML.
		EncodingType: types.EncodingTypeUrl, ContinuationToken: at.token,
		ExpectedBucketOwner: l.Place.ExpectedOwner(), RequestPayer: types.RequestPayer(l.Place.Payer()),
	}
	if l.few {
		in.MaxKeys = aws.Int32(fewKeys)
	}
	if l.Place.Prefix != "" {
		in.Prefix = &l.Place.Prefix
	}
	if at.after != "" && at.token == nil {
		in.StartAfter = &at.after
	}
	return in
}

func (l Live) send(ctx context.Context, in *s3.ListObjectsV2Input, at position) (page []Object, next position, more bool, err error) {
	var out *s3.ListObjectsV2Output
	err = deadline.Do(ctx, pageTimeout, func(ctx context.Context) (err error) {
		out, err = l.Client.ListObjectsV2(ctx, in)
		return err
	})
	if err != nil {
		return nil, at, false, fmt.Errorf("list %s: %w", l, awserr.Plain(err))
	}
	next = position{after: at.after}
	for _, listed := range out.Contents {
		object, err := l.object(listed, next.after, out.EncodingType == types.EncodingTypeUrl)
		if err != nil {
			return page, at, false, err
		}
		page, next.after = append(page, object), object.Key
	}
	more = aws.ToBool(out.IsTruncated)
	if more && len(page) == 0 {
		next.token, next.empty = out.NextContinuationToken, at.empty+1
		err = l.stands(at, next)
	}
	return page, next, more, err
}

// stands refuses a page without keys that gives nothing new to continue with.
func (l Live) stands(at, next position) error {
	switch {
	case aws.ToString(next.token) == "":
		return fmt.Errorf("list %s after %q: the service says there is more, and answers an empty page without a continuation token", l, at.after)
	case aws.ToString(next.token) == aws.ToString(at.token):
		return fmt.Errorf("list %s after %q: the service answers an empty page and the same continuation token again", l, at.after)
	case next.empty > maxEmpty:
		return fmt.Errorf("list %s after %q: the service says there is more, and answers more than %d empty pages in turn", l, at.after, maxEmpty)
	default:
		return nil
	}
}

// object decodes one line of a page and checks that it is one that was asked for: after the last
// one, under the prefix, with a possible size.
func (l Live) object(listed types.Object, after string, encoded bool) (Object, error) {
	key, err := transfer.DecodeKey(aws.ToString(listed.Key), encoded)
	if err != nil {
		return Object{}, fmt.Errorf("list %s: decode key %q: %w", l, aws.ToString(listed.Key), err)
	}
	object := Object{
		Key: key,
		Version: transfer.Version{
			ETag: aws.ToString(listed.ETag), Size: aws.ToInt64(listed.Size), LastModified: aws.ToTime(listed.LastModified),
		},
		StorageClass: string(listed.StorageClass),
	}
	switch {
	case key <= after:
		return Object{}, fmt.Errorf("list %s: key %q came after %q: the service does not list in key order (directory buckets do not), and syncd needs that", l, key, after)
	case !l.Place.Contains(key):
		return Object{}, fmt.Errorf("list %s: the service answers with key %q, which does not begin so", l, key)
	case object.Size < 0:
		return Object{}, fmt.Errorf("list %s: key %q: %w: %d bytes", l, key, errSize, object.Size)
	}
	return object, nil
}

var errSize = errors.New("the service lists a size that cannot be")
