package copier

import (
	"context"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"

	"syncd/internal/awserr"
	"syncd/internal/checkpoint/record"
	"syncd/internal/copier/content"
	"syncd/internal/copier/request"
	"syncd/internal/listing"
	"syncd/internal/plan"
	"syncd/internal/transfer"
)

// Look returns the source object as it is now. An error is an *ObjectError, of class gone when
// there is none. S3 answers that an object is not there only to a role that may list the bucket
// under whatever conditions, and 403 to others; both are asked about with a listing of the key
// alone, which a role may that lists the source.
func (c *Copier) Look(ctx context.Context, key string) (listing.Object, error) {
	object, err := c.source.look(ctx, key)
	return object, c.doubts.alone(ctx, key, err)
}

// Readable asks for a byte of the source object, and returns why it was refused. That takes the
// permissions to read the object and to decrypt it, and none at the destination.
func (c *Copier) Readable(ctx context.Context, key string) error {
	err := c.requests.Send(ctx, func(ctx context.Context) error { return c.source.explained(ctx, key, nil) })
	if err != nil {
		return c.doubts.alone(ctx, key, c.failed("read", key, err))
	}
	return nil
}

// Forecast is what a copy would do, as far as it is known before any request.
type Forecast struct {
	// Looks says that what is at the destination would be looked at, and adopted if it proves to be
	// the object's copy.
	Looks bool
	// Foreign says that the copy would end with ErrForeign, unless what is there is adopted.
	Foreign bool
}

// Forecast tells what a copy of the object would do.
func (c *Copier) Forecast(object listing.Object, target Target) Forecast {
	v := newStanding(&c.o, c.destination, "", target).verdict(object)
	return Forecast{Looks: v.adopt, Foreign: v.foreign}
}

// Shown reports whether a listing showed the destination to hold the copy that an entry of the
// ledger is of, where somebody may have replaced it; otherKey says that it may have been under
// another KMS key. It is not sure where only a HEAD can tell.
func (c *Copier) Shown(e record.Entry, target Target, otherKey bool) (isThere, isSure bool) {
	p := target.Present
	switch {
	case !target.Looked:
		return false, false
	case p == nil || !transfer.SameETag(p.ETag, e.DestinationETag) || p.Size != e.Source.Size || !c.o.HasClass(p.StorageClass):
		return false, true
	default:
		return true, !otherKey // a listing does not name keys
	}
}

// Proved reports whether the destination still holds the copy that an entry of the ledger is of, by
// what is Shown and otherwise by a HEAD. What cannot be looked at counts as replaced; an error is
// one that no other request would escape.
func (c *Copier) Proved(ctx context.Context, e record.Entry, target Target, otherKey bool) (bool, error) {
	key, err := c.DestinationKey(e.Key)
	if err != nil {
		return false, nil //nolint:nilerr // no copy can be under a key that cannot exist
	}
	if isThere, isSure := c.Shown(e, target, otherKey); isSure {
		return isThere, nil
	}
	head, err := c.destination.head(ctx, &s3.HeadObjectInput{Key: &key, IfMatch: &e.DestinationETag})
	err = c.doubts.alone(ctx, e.Key, err)
	switch {
	case err == nil:
		return aws.ToString(head.VersionId) == e.DestinationVersionID && plan.SameKey(aws.ToString(head.SSEKMSKeyId), c.o.KeyARN) &&
			c.o.HasClass(string(head.StorageClass)), nil
	case awserr.Fatal(err), ctx.Err() != nil:
		return false, &request.ObjectError{Op: "look up copy of", Bucket: c.o.SourcePlace.Bucket, Key: e.Key, Err: err}
	default:
		return false, nil
	}
}

// Left is what a source object that is gone has left at the destination.
type Left struct {
	// Intact says that the copy that the ledger knows is still there.
	Intact bool
	// Entry is what is there and is syncd's own, with the fields of an entry that can be known: of
	// which source version it is cannot. Nil says that nothing is.
	Entry *record.Entry
}

// LeftOf asks what is at the destination under the key of a source object that is gone. It costs a
// HEAD. What the role may not look at, and may be syncd's, is an error.
func (c *Copier) LeftOf(ctx context.Context, sourceKey string, target Target) (Left, error) {
	key, err := c.DestinationKey(sourceKey)
	if err != nil {
		return Left{}, nil //nolint:nilerr // nothing can be under a key that cannot exist
	}
	target.Looked, target.Present = false, nil
	s := newStanding(&c.o, c.destination, key, target)
	if err := s.look(ctx); err != nil {
		return Left{}, c.doubts.alone(ctx, sourceKey, err)
	}
	if s.found == nil {
		return Left{}, nil
	}
	isKnown := transfer.SameETag(s.found.ETag, s.known)
	switch {
	case !isKnown && !s.isOurs():
		return Left{}, nil
	case s.found.head == nil && isKnown:
		return Left{Intact: true}, nil
	case s.found.head == nil:
		return Left{}, c.failed("look up copy of", sourceKey, errNotShown)
	}
	return Left{Intact: isKnown, Entry: &record.Entry{
		Key: sourceKey, DestinationETag: s.found.ETag, DestinationVersionID: s.found.ID,
		KeyARN: aws.ToString(s.found.head.SSEKMSKeyId), BucketKey: aws.ToBool(s.found.head.BucketKeyEnabled),
		Checksum: content.Named(content.OfHead(s.found.head)), CopiedAt: s.found.LastModified,
	}}, nil
}

// There returns what the destination's clock showed at a time of this process, or what it showed at
// the least before the destination has answered anything.
func (c *Copier) There(t time.Time) time.Time { return c.destination.there(t) }

// Clock returns what the destination's clock shows now, as There does.
func (c *Copier) Clock() time.Time { return c.There(time.Now()) }
