// Package deleting deletes copies whose source objects no longer exist.
//
// It guarantees that a copy is deleted only if its key did not exist at the source when Recheck listed it
// again, and only if the object at the destination still has the ETag that syncd recorded. In a
// versioned bucket a delete adds a delete marker, and no version is deleted, so object lock permits it.
// The result of each key is reported.
//
// The caller decides which copies to delete and how many, claims their keys, sends keys again that the
// service was too busy for, and records the results.
//
// Two terms: the ending of a copy is what became of it; a vacancy is a range of keys that do not exist
// at the source.
package deleting

import (
	"context"
	"errors"
	"strings"
	"unicode/utf8"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
	"github.com/aws/smithy-go"

	"syncd/internal/awserr"
	"syncd/internal/checkpoint/record"
	"syncd/internal/checkpoint/store"
	"syncd/internal/copier/request"
	"syncd/internal/listing"
	"syncd/internal/transfer"
)

// Most is the maximum number of copies that one call of Delete deletes.
const Most = transfer.MaxDeleteKeys

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
	// Refused means that the copy was not deleted because of an error.
	Refused Ending = "refused"
)

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

func (o *Options) failed(op, bucket, key string, err error) error {
	return &request.ObjectError{Op: op, Bucket: bucket, Key: key, Err: err}
}

// keyOf returns the key of a copy.
func (o *Options) keyOf(sourceKey string) string {
	return o.SourcePlace.KeyTo(o.DestinationPlace, sourceKey)
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
	// IsUnclear means that the delete was refused but can still take effect.
	IsUnclear bool
}

// IsGone reports whether no object is left under the key of the copy.
func (d Deletion) IsGone() bool { return d.Ending == Deleted || d.Ending == Absent }

// isFatal reports whether an error concerns all requests, so that the pass must end.
func isFatal(ctx context.Context, err error) bool {
	return awserr.Fatal(err) || ctx.Err() != nil || errors.Is(err, store.ErrLeaseLost)
}

// Delete deletes copies. The entries are the ledger's entries of the copies, at most Most; Recheck has
// returned them just before. Delete deletes an object only if it still has the ETag in its entry. It
// sends each key once and returns busy, the entries of the keys that the service was too busy for. It
// returns an error for a failure that affects all requests; some copies may then have been deleted.
func (d *Deleter) Delete(ctx context.Context, entries []record.Entry, permit request.Permit) (done []Deletion, busy []record.Entry, err error) {
	b := batch{o: &d.o, writer: request.Writer{Sender: d.o.Requests, Permit: permit}, byKey: map[string]record.Entry{}}
	var together []types.ObjectIdentifier
	for _, e := range entries {
		key := d.o.keyOf(e.Key)
		b.byKey[key] = e
		if isXML(key) {
			together = append(together, types.ObjectIdentifier{Key: &key, ETag: aws.String(e.DestinationETag)})
		} else if err := b.deleteAlone(ctx, key, e); err != nil {
			return b.done, b.busy, err
		}
	}
	return b.done, b.busy, b.deleteTogether(ctx, together)
}

// batch is one call of Delete.
type batch struct {
	o      *Options
	writer request.Writer
	byKey  map[string]record.Entry // by destination key
	done   []Deletion
	busy   []record.Entry
}

func (b *batch) end(key string, ending Ending) {
	b.done = append(b.done, Deletion{Key: b.byKey[key].Key, Ending: ending})
}

// deleteTogether deletes several objects with one request.
func (b *batch) deleteTogether(ctx context.Context, objects []types.ObjectIdentifier) error {
	if len(objects) == 0 {
		return nil
	}
	to := b.o.DestinationPlace
	var out *s3.DeleteObjectsOutput
	err := b.writer.Write(ctx, func(ctx context.Context) (err error) {
		out, err = b.o.Destination.DeleteObjects(ctx, &s3.DeleteObjectsInput{
			Bucket: &to.Bucket, ExpectedBucketOwner: to.ExpectedOwner(), Delete: &types.Delete{Objects: objects},
		})
		return err
	})
	if err != nil && isFatal(ctx, err) {
		return b.o.failed("delete copy of", to.Bucket, *objects[0].Key, err)
	}
	if err != nil {
		for _, o := range objects {
			b.refused(*o.Key, err)
		}
		return nil
	}
	for _, o := range out.Deleted { // the response names each key once (package admit)
		b.end(*o.Key, Deleted)
	}
	for _, e := range out.Errors {
		b.failedAlone(*e.Key, &smithy.GenericAPIError{Code: *e.Code, Message: aws.ToString(e.Message)})
	}
	return nil
}

// deleteAlone deletes one object. DeleteObjects cannot name keys with characters that XML does not
// allow.
func (b *batch) deleteAlone(ctx context.Context, key string, e record.Entry) error {
	to := b.o.DestinationPlace
	err := b.writer.Write(ctx, func(ctx context.Context) error {
		_, err := b.o.Destination.DeleteObject(ctx, &s3.DeleteObjectInput{
			Bucket: &to.Bucket, ExpectedBucketOwner: to.ExpectedOwner(), Key: &key, IfMatch: aws.String(e.DestinationETag),
		})
		return err
	})
	switch {
	case err == nil:
		b.end(key, Deleted)
	case isFatal(ctx, err):
		return b.o.failed("delete copy of", to.Bucket, key, err)
	case awserr.Classify(err).Passes():
		b.refused(key, err) // the client has retried the request
	default:
		b.failedAlone(key, err)
	}
	return nil
}

// failedAlone records that the service did not delete one object.
func (b *batch) failedAlone(key string, err error) {
	switch class := awserr.Classify(err); {
	case class == awserr.Precondition:
		b.end(key, Overwritten)
	case class == awserr.Gone:
		b.end(key, Absent)
	case class.Passes() && !request.IsUnclear(err):
		b.busy = append(b.busy, b.byKey[key])
	default:
		b.refused(key, err)
	}
}

// refused records that one object was not deleted because of an error.
func (b *batch) refused(key string, err error) {
	b.done = append(b.done, Deletion{
		Key: b.byKey[key].Key, Ending: Refused, IsUnclear: request.IsUnclear(err),
		Err: b.o.failed("delete copy of", b.o.DestinationPlace.Bucket, key, err),
	})
}

// isXML reports whether XML can contain the key (Extensible Markup Language 1.0, section 2.2). A
// carriage return is left out, because parsers replace it.
func isXML(key string) bool {
	return utf8.ValidString(key) && !strings.ContainsFunc(key, func(r rune) bool {
		return r < ' ' && r != '\t' && r != '\n' || r == 0xfffe || r == 0xffff
	})
}
