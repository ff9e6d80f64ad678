package copier

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

// MaxDeletes is the maximum number of copies that one call of Delete deletes (Amazon S3 API
// Reference, DeleteObjects: 1000 keys).
const MaxDeletes = 1000

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

// Deletion is the result of deleting one copy.
type Deletion struct {
	// Key is the source key.
	Key    string
	Ending Ending
	// Err is why the delete was refused, nil for other endings.
	Err error
}

// Delete deletes copies whose source objects no longer exist. The entries are the ledger's entries of
// the copies, at most MaxDeletes, in ascending order of their keys. Delete first lists the keys at
// the source again, and keeps the copies of those that exist. It deletes an object only if it still
// has the ETag that the ledger records. It returns an error if the source could not be listed, or for
// a failure that affects all requests; some copies may then have been deleted.
func (c *Copier) Delete(ctx context.Context, entries []record.Entry, permit request.Permit) (done []Deletion, err error) {
	d := deleter{shared: c.shared, writer: request.Writer{Sender: c.requests, Permit: permit}, byKey: map[string]string{}}
	if err := d.choose(ctx, entries); err != nil {
		return nil, err
	}
	for try := 0; len(d.batch) > 0; try++ {
		if err := d.send(ctx, try == deleteTries-1); err != nil {
			return d.done, err
		}
	}
	return d.done, nil
}

// deleteTries is how often a key is tried if the service is too busy to delete it. The client retries
// only whole requests.
const deleteTries = 4

// deleter is one call of Delete.
type deleter struct {
	*shared
	writer request.Writer
	batch  []types.ObjectIdentifier // still to be deleted
	byKey  map[string]string        // source keys by destination key
	done   []Deletion
}

func (d *deleter) end(key string, ending Ending, err error) {
	d.done = append(d.done, Deletion{Key: d.byKey[key], Ending: ending, Err: err})
}

// choose adds the copies to the batch that can be deleted.
func (d *deleter) choose(ctx context.Context, entries []record.Entry) error {
	absent := vacancy{source: d.source}
	for _, e := range entries {
		key := d.o.SourcePlace.KeyTo(d.o.DestinationPlace, e.Key)
		d.byKey[key] = e.Key
		isThere, err := absent.has(ctx, e.Key)
		if err != nil {
			return err
		}
		if isThere {
			d.end(key, Returned, nil)
			continue
		}
		ending, err := d.check(ctx, key, e.DestinationETag)
		switch {
		case err != nil:
			return err
		case ending != "":
			d.end(key, ending, nil)
		default:
			d.batch = append(d.batch, types.ObjectIdentifier{Key: &key, ETag: aws.String(e.DestinationETag)})
		}
	}
	return nil
}

// check returns how an object ends that need not be sent to the service. A service other than S3 may
// ignore the condition of a delete, so check looks at the object first.
func (d *deleter) check(ctx context.Context, key, etag string) (Ending, error) {
	if d.o.ToS3 == nil || d.o.ToS3() {
		return "", nil
	}
	head, err := d.destination.head(ctx, &s3.HeadObjectInput{Key: &key})
	switch {
	case awserr.Classify(err) == awserr.Gone:
		return Absent, nil
	case err != nil:
		return "", d.failed("look up copy of", d.byKey[key], err)
	case !transfer.SameETag(aws.ToString(head.ETag), etag):
		return Overwritten, nil
	}
	return "", nil
}

// send sends the batch once. Keys that the service was too busy to delete stay in the batch, unless
// this is the last try.
func (d *deleter) send(ctx context.Context, isLast bool) error {
	batch := d.batch
	d.batch = nil
	var together []types.ObjectIdentifier
	for _, o := range batch {
		if isXML(*o.Key) {
			together = append(together, o)
			continue
		}
		if err := d.deleteAlone(ctx, o); err != nil {
			return err
		}
	}
	if len(together) == 0 {
		return nil
	}
	var out *s3.DeleteObjectsOutput
	err := d.writer.Write(ctx, func(ctx context.Context) (err error) {
		out, err = d.o.Destination.DeleteObjects(ctx, &s3.DeleteObjectsInput{
			Bucket: &d.o.DestinationPlace.Bucket, ExpectedBucketOwner: d.o.DestinationPlace.ExpectedOwner(),
			Delete: &types.Delete{Objects: together},
		})
		return err
	})
	if err != nil {
		return d.failed("delete copy of", d.byKey[*together[0].Key], err)
	}
	d.read(out, together, isLast)
	return nil
}

// read reads the response to a batch, which names each key once (package admit).
func (d *deleter) read(out *s3.DeleteObjectsOutput, batch []types.ObjectIdentifier, isLast bool) {
	for _, o := range out.Deleted {
		d.end(*o.Key, Deleted, nil)
	}
	sent := map[string]types.ObjectIdentifier{}
	for _, o := range batch {
		sent[*o.Key] = o
	}
	for _, e := range out.Errors {
		d.refused(sent[*e.Key], &smithy.GenericAPIError{Code: *e.Code, Message: aws.ToString(e.Message)}, isLast)
	}
}

// deleteAlone deletes one object. DeleteObjects cannot name keys with characters that XML does not
// allow.
func (d *deleter) deleteAlone(ctx context.Context, o types.ObjectIdentifier) error {
	err := d.writer.Write(ctx, func(ctx context.Context) error {
		_, err := d.o.Destination.DeleteObject(ctx, &s3.DeleteObjectInput{
			Bucket: &d.o.DestinationPlace.Bucket, ExpectedBucketOwner: d.o.DestinationPlace.ExpectedOwner(), Key: o.Key, IfMatch: o.ETag,
		})
		return err
	})
	switch {
	case err == nil:
		d.end(*o.Key, Deleted, nil)
	case awserr.Fatal(err), ctx.Err() != nil, awserr.Classify(err).Passes():
		return d.failed("delete copy of", d.byKey[*o.Key], err)
	default:
		d.refused(o, err, true)
	}
	return nil
}

// refused records that the service did not delete one object.
func (d *deleter) refused(o types.ObjectIdentifier, err error, isLast bool) {
	switch class := awserr.Classify(err); {
	case class == awserr.Precondition:
		d.end(*o.Key, Overwritten, nil)
	case class == awserr.Gone:
		d.end(*o.Key, Absent, nil)
	case class.Passes() && !isLast:
		d.batch = append(d.batch, o)
	default:
		d.end(*o.Key, Refused, d.failed("delete copy of", d.byKey[*o.Key], err))
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
	source  *source
	from    string // no key from this one on exists that is below until
	until   string // "" for no such key
	isKnown bool
}

// has reports whether the source has a key. Call it with ascending keys.
func (v *vacancy) has(ctx context.Context, key string) (bool, error) {
	if v.isKnown && key >= v.from && (v.until == "" || key < v.until) {
		return false, nil
	}
	live := listing.Live{Client: v.source.api, Place: v.source.place}
	var next listing.Object
	var ok bool
	err := v.source.requests.Send(ctx, func(ctx context.Context) (err error) {
		next, ok, err = live.First(ctx, key)
		return err
	})
	if err != nil {
		return false, v.source.failed("look up", key, err)
	}
	v.isKnown, v.from, v.until = true, key, ""
	if ok {
		v.until = next.Key
	}
	return ok && next.Key == key, nil
}
