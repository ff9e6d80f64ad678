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

// Look returns the current source object. An error is an *ObjectError, with class gone if the
// object does not exist. S3 returns 404 for a missing object only to a role that has permission to
// list the bucket without conditions; other roles get 403. After either response Look lists that
// key, for which permission to list the source's prefix is sufficient.
func (c *Copier) Look(ctx context.Context, key string) (listing.Object, error) {
	object, err := c.source.look(ctx, key)
	return object, c.doubts.Alone(ctx, key, err)
}

// Readable reads one byte of the source object and returns the error of the read. This needs
// permission to read and decrypt the object, and no permission at the destination.
func (c *Copier) Readable(ctx context.Context, key string) error {
	err := c.requests.Send(ctx, func(ctx context.Context) error { return c.source.explained(ctx, key, nil) })
	if err != nil {
		return c.doubts.Alone(ctx, key, c.failed("read", key, err))
	}
	return nil
}

// Forecast describes what a copy would do, as far as this is known without a request.
type Forecast struct {
	// Looks means that the copy would check the object at the destination, and adopt it if it turns
	// out to be a copy of the source object.
	Looks bool
	// Foreign means that the copy would return ErrForeign unless it adopts the object at the
	// destination.
	Foreign bool
}

// Forecast returns what a copy of the object would do.
func (c *Copier) Forecast(object listing.Object, target Target) Forecast {
	v := newStanding(&c.o, c.destination, "", target).verdict(object)
	return Forecast{Looks: v.adopt, Foreign: v.foreign}
}

// Shown reports whether the destination still has the copy of a ledger entry, according to a
// listing. The parameter otherKey means that the copy may have been made under another KMS key. The
// result isSure is false if only a HEAD request can decide.
func (c *Copier) Shown(e record.Entry, target Target, otherKey bool) (isThere, isSure bool) {
	p := target.Present
	switch {
	case !target.Looked:
		return false, false
	case p == nil || !transfer.SameETag(p.ETag, e.DestinationETag) || p.Size != e.Source.Size || !c.o.HasClass(p.StorageClass):
		return false, true
	default:
		return true, !otherKey // a listing does not show KMS keys
	}
}

// Proved reports whether the destination still has the copy of a ledger entry. It uses a listing if
// possible (see Shown), and otherwise a HEAD request. If the copy cannot be checked, Proved returns
// false. It returns an error only for failures that would also affect other requests.
func (c *Copier) Proved(ctx context.Context, e record.Entry, target Target, otherKey bool) (bool, error) {
	key, err := c.DestinationKey(e.Key)
	if err != nil {
		return false, nil //nolint:nilerr // there is no copy under an invalid key
	}
	if isThere, isSure := c.Shown(e, target, otherKey); isSure {
		return isThere, nil
	}
	head, err := c.destination.head(ctx, &s3.HeadObjectInput{Key: &key, IfMatch: &e.DestinationETag})
	err = c.doubts.Alone(ctx, e.Key, err)
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

// Left describes what remains at the destination after a source object was deleted.
type Left struct {
	// Intact means that the copy in the ledger still exists.
	Intact bool
	// Entry describes an object at the key that syncd wrote. Its source version is unknown and not
	// set. Entry is nil if there is no such object.
	Entry *record.Entry
}

// LeftOf checks what remains at the destination under the key of a deleted source object. It takes
// one HEAD request. It returns an error if syncd may have written the object under the key and the
// role has no permission to read it.
func (c *Copier) LeftOf(ctx context.Context, sourceKey string, target Target) (Left, error) {
	key, err := c.DestinationKey(sourceKey)
	if err != nil {
		return Left{}, nil //nolint:nilerr // there is no object under an invalid key
	}
	target.Looked, target.Present = false, nil
	s := newStanding(&c.o, c.destination, key, target)
	if err := s.look(ctx); err != nil {
		return Left{}, c.doubts.Alone(ctx, sourceKey, err)
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

// There converts a time of this process to the destination's clock. Before the destination's first
// response it returns the earliest possible time.
func (c *Copier) There(t time.Time) time.Time { return c.destination.there(t) }

// Clock returns the current time by the destination's clock. See There.
func (c *Copier) Clock() time.Time { return c.There(time.Now()) }
