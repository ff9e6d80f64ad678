package listing

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"time"
	"unicode/utf8"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"

	"syncd/internal/awserr"
	"syncd/internal/deadline"
	"syncd/internal/transfer"
)

// PageKeys is the maximum number of keys in one response of ListObjectsV2 (Amazon S3 API Reference,
// ListObjectsV2, MaxKeys).
const PageKeys = 1000

// fewKeys is the page size for a search for one key. The size is more than 1, because other keys
// may have been added between the start of the search and the key.
const fewKeys = 4

// maxEmpty is the maximum number of consecutive pages without keys. S3 returns few such pages.
// Without the limit, a service that keeps returning them would block the listing forever.
const maxEmpty = 1000

// pageTimeout bounds the wait for a page, including retries: a silent connection must not block a
// pass forever. It is enough for three attempts by a client that waits a minute for each response.
const pageTimeout = 4 * time.Minute

// API is the part of the S3 client that a listing uses. An *s3.Client satisfies it.
type API interface {
	ListObjectsV2(ctx context.Context, in *s3.ListObjectsV2Input, opts ...func(*s3.Options)) (*s3.ListObjectsV2Output, error)
}

// Live lists a bucket with ListObjectsV2.
type Live struct {
	// Client sends the requests. Its region must be the region of the bucket.
	Client API
	// Place is the bucket and the prefix of the keys to list.
	Place transfer.Place

	few bool // use short pages
}

// String names the bucket and prefix, for messages.
func (l Live) String() string { return l.Place.String() }

// List yields the objects of r in key order. The sequence ends after the first error.
//
// Each page starts after the last key seen instead of at a continuation token. Therefore a listing
// can be resumed after any key, and deletes during the listing do not disturb it. A continuation
// token is used only after a page without keys.
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

// Page returns the first objects after a key, up to 1,000, and whether more objects follow. If more
// is true, the page has at least one object. If an object is invalid, Page returns the objects before
// that one and an error.
func (l Live) Page(ctx context.Context, after string) (page []Object, more bool, err error) {
	at := position{after: after}
	for more = true; more && err == nil && len(page) == 0; {
		page, at, more, err = l.page(ctx, at)
	}
	return page, more && err == nil, err
}

// Lookup returns the object with the given key. The result ok is false if the bucket does not list
// the key. Lookup needs only the permission to list, and sends one request.
func (l Live) Lookup(ctx context.Context, key string) (object Object, ok bool, err error) {
	l.Place.Prefix = key
	in := l.input(position{})
	in.MaxKeys = aws.Int32(1)
	page, _, _, err := l.send(ctx, in, position{})
	if err != nil || len(page) == 0 || page[0].Key != key { // the first key with this prefix is the key itself
		return Object{}, false, err
	}
	return page[0], true, nil
}

// Relist lists again from after, and reports whether the listing still contains key. The result is
// also true for a wrong key under which the service listed an object, because the service lists the
// object under the same wrong key again.
func (l Live) Relist(ctx context.Context, after, key string) (bool, error) {
	l.few = true
	for object, err := range l.List(ctx, Range{After: after}) {
		if err != nil || object.Key >= key {
			return err == nil && object.Key == key, err
		}
	}
	return false, nil
}

// From is like Page, but for the objects at and after a key. The page can begin with a few objects
// before the key. If more is true, it has at least one object at or after the key.
func (l Live) From(ctx context.Context, key string) (page []Object, more bool, err error) {
	after := below(key)
	for {
		page, more, err = l.Page(ctx, after)
		if err != nil || !more || page[len(page)-1].Key >= key {
			return page, more, err
		}
		after = page[len(page)-1].Key
	}
}

// below returns a key below the given one, so that few or no keys are in between. It is valid UTF-8 if
// the beginning of key is, and has at most about as many bytes, because it is sent to the service.
func below(key string) string {
	last, width := utf8.DecodeLastRuneInString(key)
	begin := key[:len(key)-width]
	if last == 0 || last == utf8.RuneError || len(begin)+2*utf8.UTFMax > transfer.MaxKeyBytes {
		return begin
	}
	if last--; last == 0xdfff {
		last = 0xd7ff // surrogates are not valid in UTF-8
	}
	return begin + string(last) + string(utf8.MaxRune)
}

// position is where a listing continues: after a key, or at the continuation token of a page
// without keys. The field empty counts consecutive pages without keys.
type position struct {
	after string
	token *string
	empty int
}

// page returns one page of objects that starts at a position, the next position, and whether more
// pages follow. If an object is invalid, it returns the objects before the invalid object and an
// error.
func (l Live) page(ctx context.Context, at position) (page []Object, next position, more bool, err error) {
	return l.send(ctx, l.input(at), at)
}

func (l Live) input(at position) *s3.ListObjectsV2Input {
	in := &s3.ListObjectsV2Input{
		Bucket:  &l.Place.Bucket,
		MaxKeys: aws.Int32(PageKeys),
		// Without EncodingType, a key with a control character makes the page invalid XML.
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
		out, err = l.Client.ListObjectsV2(ctx, in, quickly(*in.MaxKeys))
		return err
	})
	if err == nil {
		page, err = contentsOf(out)
	}
	if err != nil {
		return nil, at, false, fmt.Errorf("list %s: %w", l, awserr.Plain(err))
	}
	next = position{after: at.after}
	for i := range page {
		if err := l.check(&page[i], next.after, out.EncodingType == types.EncodingTypeUrl); err != nil {
			return page[:i], at, false, err
		}
		next.after = page[i].Key
	}
	more = aws.ToBool(out.IsTruncated)
	if more && len(page) == 0 {
		next.token, next.empty = out.NextContinuationToken, at.empty+1
		err = l.checkProgress(at, next)
	}
	return page, next, more, err
}

// checkProgress returns an error for a page without keys if the listing does not advance.
func (l Live) checkProgress(at, next position) error {
	switch {
	case aws.ToString(next.token) == "":
		return fmt.Errorf("list %s after %q: the service returned a truncated empty page without a continuation token", l, at.after)
	case aws.ToString(next.token) == aws.ToString(at.token):
		return fmt.Errorf("list %s after %q: the service returned an empty page with the same continuation token again", l, at.after)
	case next.empty > maxEmpty:
		return fmt.Errorf("list %s after %q: the service returned more than %d truncated empty pages in succession", l, at.after, maxEmpty)
	default:
		return nil
	}
}

// check decodes the key of an object of a page, and checks the object: the key must be greater than
// the parameter after and must have the prefix of the place, and the size must not be negative.
func (l Live) check(object *Object, after string, encoded bool) error {
	key, err := transfer.DecodeKey(object.Key, encoded)
	if err != nil {
		return fmt.Errorf("list %s: decode key %q: %w", l, object.Key, err)
	}
	object.Key = key
	switch {
	case key <= after:
		return fmt.Errorf("list %s: key %q came after %q: the service does not list in key order, which syncd requires (directory buckets do not)", l, key, after)
	case !l.Place.Contains(key):
		return fmt.Errorf("list %s: the service returned key %q, which does not have that prefix", l, key)
	case object.Size < 0:
		return fmt.Errorf("list %s: key %q: %w: %d bytes", l, key, errSize, object.Size)
	}
	return nil
}

var errSize = errors.New("the service lists an invalid size")
