// Package deleting deletes copies whose source objects no longer exist.
//
// It guarantees that a copy is deleted only if its key does not exist at the source right before, and
// only if the object at the destination still has the ETag that syncd recorded. In a versioned bucket
// a delete adds a delete marker, and no version is deleted. The result of each key is reported.
//
// The caller decides which copies to delete and how many, and records the results.
//
// Two terms: the ending of a copy is what became of it; a vacancy is a range of keys that do not exist
// at the source.
package deleting

import (
	"context"
	"strings"
	"unicode/utf8"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
	"github.com/aws/smithy-go"

	"syncd/internal/awserr"
	"syncd/internal/checkpoint/record"
	"syncd/internal/copier/request"
	"syncd/internal/listing"
	"syncd/internal/transfer"
)

// Most is the maximum number of copies that one call of Delete deletes (Amazon S3 API Reference,
// DeleteObjects: 1000 keys).
const Most = 1000

// Ending is what became of a copy that was to be deleted.
type Ending string

// The endings of a copy. The texts are label values and summary fields, so they are part of the
// public interface.
const (
	// Deleted means that the copy was deleted. In a versioned bucket it has a delete marker.
	Deleted Ending = "deleted"
	// Absent means that there was no object under the copy's key.
	Absent Ending = "absent"
	// Returned means that the source has the object again, so the copy was kept.
	Returned Ending = "returned"
	// Overwritten means that the object under the copy's key is not the one that syncd wrote, so it
	// was kept.
	Overwritten Ending = "overwritten"
	// Refused means that the destination refused to delete the copy.
	Refused Ending = "refused"
)

// IsGone reports whether no object is left under the key of the copy.
func (d Deletion) IsGone() bool { return d.Ending == Deleted || d.Ending == Absent }

// API are the requests that the destination must accept.
type API interface {
	DeleteObject(ctx context.Context, in *s3.DeleteObjectInput, opts ...func(*s3.Options)) (*s3.DeleteObjectOutput, error)
	DeleteObjects(ctx context.Context, in *s3.DeleteObjectsInput, opts ...func(*s3.Options)) (*s3.DeleteObjectsOutput, error)
	HeadObject(ctx context.Context, in *s3.HeadObjectInput, opts ...func(*s3.Options)) (*s3.HeadObjectOutput, error)
}

// Options are the settings of a Deleter. All fields are required unless they say otherwise.
type Options struct {
	Source                        listing.API
	Destination                   API
	SourcePlace, DestinationPlace transfer.Place
	Requests                      *request.Sender
	// ToS3 reports whether the destination is known to be S3 itself, which honors the conditions of
	// deletes. If ToS3 is nil, the destination is S3.
	ToS3 func() bool
}

func (o *Options) failed(op, key string, err error) error {
	return &request.ObjectError{Op: op, Bucket: o.SourcePlace.Bucket, Key: key, Err: err}
}

// Deleter deletes copies.
type Deleter struct{ o Options }

// New returns a Deleter.
func New(o Options) *Deleter { return &Deleter{o} }

// Deletion is the result of deleting one copy.
type Deletion struct {
	// Key is the source key.
	Key    string
	Ending Ending
	// Err is why the delete was refused, nil for other endings.
	Err error
}

// Delete deletes copies whose source objects no longer exist. The entries are the ledger's entries of
// the copies, at most Most, in ascending order of their keys. Delete first lists the keys at
// the source again, and keeps the copies of those that exist. It deletes an object only if it still
// has the ETag that the ledger records. It returns an error if the source could not be listed, or for
// a failure that affects all requests; some copies may then have been deleted.
func (d *Deleter) Delete(ctx context.Context, entries []record.Entry, permit request.Permit) (done []Deletion, err error) {
	b := batch{o: d.o, writer: request.Writer{Sender: d.o.Requests, Permit: permit}, byKey: map[string]string{}}
	if err := b.choose(ctx, entries); err != nil {
		return nil, err
	}
	for try := 0; len(b.open) > 0; try++ {
		if err := b.send(ctx, try == tries-1); err != nil {
			return b.done, err
		}
	}
	return b.done, nil
}

// tries is how often a key is tried if the service is too busy to delete it. The client retries
// only whole requests.
const tries = 4

// batch is one call of Delete.
type batch struct {
	o      Options
	writer request.Writer
	open   []types.ObjectIdentifier // still to be deleted
	byKey  map[string]string        // source keys by destination key
	done   []Deletion
}

func (b *batch) end(key string, ending Ending, err error) {
	b.done = append(b.done, Deletion{Key: b.byKey[key], Ending: ending, Err: err})
}

// choose adds the copies to the batch that can be deleted.
func (b *batch) choose(ctx context.Context, entries []record.Entry) error {
	absent := vacancy{o: &b.o}
	for _, e := range entries {
		key := b.o.SourcePlace.KeyTo(b.o.DestinationPlace, e.Key)
		b.byKey[key] = e.Key
		isThere, err := absent.has(ctx, e.Key)
		if err != nil {
			return err
		}
		if isThere {
			b.end(key, Returned, nil)
			continue
		}
		ending, err := b.check(ctx, key, e.DestinationETag)
		switch {
		case err != nil:
			return err
		case ending != "":
			b.end(key, ending, nil)
		default:
			b.open = append(b.open, types.ObjectIdentifier{Key: &key, ETag: aws.String(e.DestinationETag)})
		}
	}
	return nil
}

// check returns how an object ends that need not be sent to the service. A service other than S3 may
// ignore the condition of a delete, so check looks at the object first.
func (b *batch) check(ctx context.Context, key, etag string) (Ending, error) {
	if b.o.ToS3 == nil || b.o.ToS3() {
		return "", nil
	}
	var head *s3.HeadObjectOutput
	err := b.o.Requests.Send(ctx, func(ctx context.Context) (err error) {
		head, err = b.o.Destination.HeadObject(ctx, &s3.HeadObjectInput{
			Bucket: &b.o.DestinationPlace.Bucket, ExpectedBucketOwner: b.o.DestinationPlace.ExpectedOwner(), Key: &key,
		})
		return err
	})
	switch {
	case awserr.Classify(err) == awserr.Gone:
		return Absent, nil
	case err != nil:
		return "", b.o.failed("look up copy of", b.byKey[key], err)
	case !transfer.SameETag(aws.ToString(head.ETag), etag):
		return Overwritten, nil
	}
	return "", nil
}

// send sends the batch once. Keys that the service was too busy to delete stay in the batch, unless
// this is the last try.
func (b *batch) send(ctx context.Context, isLast bool) error {
	open := b.open
	b.open = nil
	var together []types.ObjectIdentifier
	for _, o := range open {
		if isXML(*o.Key) {
			together = append(together, o)
			continue
		}
		if err := b.deleteAlone(ctx, o); err != nil {
			return err
		}
	}
	if len(together) == 0 {
		return nil
	}
	var out *s3.DeleteObjectsOutput
	err := b.writer.Write(ctx, func(ctx context.Context) (err error) {
		out, err = b.o.Destination.DeleteObjects(ctx, &s3.DeleteObjectsInput{
			Bucket: &b.o.DestinationPlace.Bucket, ExpectedBucketOwner: b.o.DestinationPlace.ExpectedOwner(),
			Delete: &types.Delete{Objects: together},
		})
		return err
	})
	if err != nil {
		return b.o.failed("delete copy of", b.byKey[*together[0].Key], err)
	}
	b.read(out, together, isLast)
	return nil
}

// read reads the response to a batch, which names each key once (package admit).
func (b *batch) read(out *s3.DeleteObjectsOutput, sent []types.ObjectIdentifier, isLast bool) {
	for _, o := range out.Deleted {
		b.end(*o.Key, Deleted, nil)
	}
	byKey := map[string]types.ObjectIdentifier{}
	for _, o := range sent {
		byKey[*o.Key] = o
	}
	for _, e := range out.Errors {
		b.refused(byKey[*e.Key], &smithy.GenericAPIError{Code: *e.Code, Message: aws.ToString(e.Message)}, isLast)
	}
}

// deleteAlone deletes one object. DeleteObjects cannot name keys with characters that XML does not
// allow.
func (b *batch) deleteAlone(ctx context.Context, o types.ObjectIdentifier) error {
	err := b.writer.Write(ctx, func(ctx context.Context) error {
		_, err := b.o.Destination.DeleteObject(ctx, &s3.DeleteObjectInput{
			Bucket: &b.o.DestinationPlace.Bucket, ExpectedBucketOwner: b.o.DestinationPlace.ExpectedOwner(), Key: o.Key, IfMatch: o.ETag,
		})
		return err
	})
	switch {
	case err == nil:
		b.end(*o.Key, Deleted, nil)
	case awserr.Fatal(err), ctx.Err() != nil, awserr.Classify(err).Passes():
		return b.o.failed("delete copy of", b.byKey[*o.Key], err)
	default:
		b.refused(o, err, true)
	}
	return nil
}

// refused records that the service did not delete one object.
func (b *batch) refused(o types.ObjectIdentifier, err error, isLast bool) {
	switch class := awserr.Classify(err); {
	case class == awserr.Precondition:
		b.end(*o.Key, Overwritten, nil)
	case class == awserr.Gone:
		b.end(*o.Key, Absent, nil)
	case class.Passes() && !isLast:
		b.open = append(b.open, o)
	default:
		b.end(*o.Key, Refused, b.o.failed("delete copy of", b.byKey[*o.Key], err))
	}
}

// isXML reports whether XML can contain the key (Extensible Markup Language 1.0, section 2.2). A
// carriage return is left out, because parsers replace it.
func isXML(key string) bool {
	return utf8.ValidString(key) && !strings.ContainsFunc(key, func(r rune) bool {
		return r < ' ' && r != '\t' && r != '\n' || r == 0xfffe || r == 0xffff
	})
}

// vacancy lists the source again to find out which keys do not exist. One request answers for all
// keys up to the next key that exists.
type vacancy struct {
	o       *Options
	from    string // no key from this one on exists that is below until
	until   string // "" for no such key
	isKnown bool
}

// has reports whether the source has a key. Call it with ascending keys.
func (v *vacancy) has(ctx context.Context, key string) (bool, error) {
	if v.isKnown && key >= v.from && (v.until == "" || key < v.until) {
		return false, nil
	}
	live := listing.Live{Client: v.o.Source, Place: v.o.SourcePlace}
	var next listing.Object
	var ok bool
	err := v.o.Requests.Send(ctx, func(ctx context.Context) (err error) {
		next, ok, err = live.First(ctx, key)
		return err
	})
	if err != nil {
		return false, v.o.failed("look up", key, err)
	}
	v.isKnown, v.from, v.until = true, key, ""
	if ok {
		v.until = next.Key
	}
	return ok && next.Key == key, nil
}
