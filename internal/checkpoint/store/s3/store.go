// Package s3 is a checkpoint store in a bucket.
//
// A record is an object created with If-None-Match, so that a name is used only once. Large records
// are written and read in parts. The lease is an object that is overwritten with If-Match and renewed in the background;
// docs/decisions/0006-lease-on-s3.md describes which process can take the lease and when. The
// package guarantees that a lease expires by its holder's own clock before another holder can take
// it.
//
// The client provides credentials, region, endpoint and retries. Package record defines the
// records. If the lock was deleted, this package reads one field of a record: the lease number in
// the newest manifest.
//
// Terms: the lock is the object of a lease. The end of an open record is the part that was read when
// it was opened.
package s3

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"strings"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"

	"syncd/internal/awserr"
	"syncd/internal/body"
	"syncd/internal/checkpoint/store"
	"syncd/internal/transfer"
)

// objectAPI is the part of the S3 client for whole objects.
type objectAPI interface {
	GetObject(context.Context, *s3.GetObjectInput, ...func(*s3.Options)) (*s3.GetObjectOutput, error)
	HeadObject(context.Context, *s3.HeadObjectInput, ...func(*s3.Options)) (*s3.HeadObjectOutput, error)
	PutObject(context.Context, *s3.PutObjectInput, ...func(*s3.Options)) (*s3.PutObjectOutput, error)
	ListObjectsV2(context.Context, *s3.ListObjectsV2Input, ...func(*s3.Options)) (*s3.ListObjectsV2Output, error)
	DeleteObject(context.Context, *s3.DeleteObjectInput, ...func(*s3.Options)) (*s3.DeleteObjectOutput, error)
}

// uploadAPI is the part of the S3 client for multipart uploads.
type uploadAPI interface {
	CreateMultipartUpload(context.Context, *s3.CreateMultipartUploadInput, ...func(*s3.Options)) (*s3.CreateMultipartUploadOutput, error)
	UploadPart(context.Context, *s3.UploadPartInput, ...func(*s3.Options)) (*s3.UploadPartOutput, error)
	CompleteMultipartUpload(context.Context, *s3.CompleteMultipartUploadInput, ...func(*s3.Options)) (*s3.CompleteMultipartUploadOutput, error)
	AbortMultipartUpload(context.Context, *s3.AbortMultipartUploadInput, ...func(*s3.Options)) (*s3.AbortMultipartUploadOutput, error)
}

// s3API is satisfied by *s3.Client.
type s3API interface {
	objectAPI
	uploadAPI
}

// defaultLease is the default of Options.LeaseFor.
const defaultLease = time.Minute

// Options configure where on S3 a store is and how it is written.
type Options struct {
	Place    transfer.Place   // bucket and prefix; the bucket is a general purpose bucket, and New adds a slash to the end of a non-empty prefix
	KMSKey   string           // ARN of the key that encrypts the records, "" for the bucket's default
	LeaseFor time.Duration    // how long a lease lasts unless renewed, default one minute
	Now      func() time.Time // clock of this process, default time.Now
	Logger   *slog.Logger     // logs leases that could not be renewed, default none

	// Renewed is called when a lease was acquired or renewed. The parameter until is when the lease
	// expires, on this process's clock, if it is not renewed again. Default none.
	Renewed func(name string, until time.Time)
}

// Store is a store in a bucket. A record is an object created with If-None-Match, so that a name is
// used only once; a large record is created in parts, so that memory stays bounded. The lease is an
// object that is overwritten with If-Match; docs/decisions/0006-lease-on-s3.md describes which
// process can take the lease and when. An open record uses at most 256 KiB of memory, and only until
// bytes before its end are read.
//
// The client provides credentials, region, endpoint and retries. A record that is deleted while it
// is open can no longer be read.
type Store struct {
	client  s3API
	options Options
	large   chan struct{} // contains one element for each large record being written

	mu       sync.Mutex
	prepared bool // whether format.json and conditional writes were checked
}

var _ store.Store = (*Store)(nil)

// New returns the store in a bucket. It sends no requests. If the store has another format, reading
// a record or acquiring a lease returns a *store.VersionError.
func New(client s3API, o Options) *Store {
	if o.Place.Prefix != "" {
		o.Place.Prefix = strings.TrimSuffix(o.Place.Prefix, "/") + "/"
	}
	if o.LeaseFor <= 0 {
		o.LeaseFor = defaultLease
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	if o.Renewed == nil {
		o.Renewed = func(string, time.Time) {}
	}
	return &Store{client: client, options: o, large: make(chan struct{}, largeWrites)}
}

// String returns "s3://", the bucket and the prefix.
func (s *Store) String() string { return s.options.Place.String() }

func (s *Store) uri(key string) string { return "s3://" + s.options.Place.Bucket + "/" + key }

// key returns the key of the record with that name.
func (s *Store) key(ctx context.Context, name string) (string, error) {
	if err := store.CheckName(name); err != nil {
		return "", err
	}
	return s.options.Place.Prefix + name, ctx.Err()
}

// bodyTries limits how often an object is requested if the connection breaks while the body is
// read. The SDK retries requests, not bodies.
const bodyTries = 3

// Read returns a whole record.
func (s *Store) Read(ctx context.Context, name string) ([]byte, error) {
	key, err := s.key(ctx, name)
	if err != nil {
		return nil, err
	}
	data, _, err := s.readObject(ctx, key)
	return data, err
}

// readObject returns a whole object and the last response for it.
func (s *Store) readObject(ctx context.Context, key string) (data []byte, out *s3.GetObjectOutput, err error) {
	for range bodyTries {
		out, err = body.GetObject(ctx, s.client, &s3.GetObjectInput{
			Bucket: &s.options.Place.Bucket, Key: &key, ExpectedBucketOwner: s.options.Place.ExpectedOwner(),
		})
		if err != nil {
			return nil, nil, s.failed("read", key, err)
		}
		data, err = readBody(out.Body)
		if err == nil || ctx.Err() != nil {
			break
		}
	}
	if err != nil {
		return nil, nil, s.failed("read", key, errors.Join(err, ctx.Err()))
	}
	return data, out, nil
}

// readBody reads a body to its end, where the SDK verifies the checksum. If the connection breaks
// before the end, the HTTP client returns an error.
func readBody(body io.ReadCloser) ([]byte, error) {
	data, err := store.ReadAll(body)
	return data, errors.Join(err, body.Close())
}

// StateError reports a failed request for an object of the state on S3.
type StateError struct {
	// Op is the operation: read, list, create, ...
	Op string
	// State is the location of the state, as configured, and URI is the object.
	State, URI string
	// Problem explains what the failure means for the state; "" if Err needs no explanation.
	Problem string
	// Err is the cause.
	Err error
}

// Error names the operation, the object and the cause. The text contains the word state, to
// distinguish the object from objects of a source or destination.
func (e *StateError) Error() string {
	text := e.Op + " state " + e.URI + ": "
	if e.Problem != "" {
		text += e.Problem + ": "
	}
	return text + awserr.Brief(e.Err)
}

// Unwrap returns the cause, and fs.ErrNotExist if the object is absent.
func (e *StateError) Unwrap() []error {
	if awserr.Classify(e.Err) == awserr.Gone {
		return []error{fs.ErrNotExist, e.Err}
	}
	return []error{e.Err}
}

// failed returns the error for a failed operation on an object.
func (s *Store) failed(verb, key string, err error) *StateError {
	return &StateError{Op: verb, State: s.String(), URI: s.uri(key), Err: err}
}

// unwritten returns the error for a failed conditional write.
func (s *Store) unwritten(verb, key string, err error) error {
	failure := s.failed(verb, key, err)
	if awserr.Classify(err) == awserr.Unsupported {
		failure.Problem = "the service does not support conditional writes, which syncd needs to exclude a second writer"
	}
	return failure
}

// List returns the names that begin with prefix, in byte order.
func (s *Store) List(ctx context.Context, prefix string) (names []string, err error) {
	pages := s3.NewListObjectsV2Paginator(s.client, &s3.ListObjectsV2Input{
		Bucket: &s.options.Place.Bucket, Prefix: aws.String(s.options.Place.Prefix + prefix),
		// Keys of objects that other programs wrote under the prefix can contain characters that
		// are invalid in XML.
		EncodingType: types.EncodingTypeUrl, ExpectedBucketOwner: s.options.Place.ExpectedOwner(),
	})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return nil, s.failed("list", s.options.Place.Prefix+prefix, err)
		}
		for _, object := range page.Contents {
			key, err := transfer.DecodeKey(aws.ToString(object.Key), page.EncodingType == types.EncodingTypeUrl)
			if err != nil {
				return nil, s.failed("list", aws.ToString(object.Key), err)
			}
			if name, ok := strings.CutPrefix(key, s.options.Place.Prefix); ok && store.CheckName(name) == nil {
				names = append(names, name)
			}
		}
	}
	return names, nil
}

// Delete removes a record. In a versioned bucket a delete marker hides it; use a lifecycle rule to
// expire noncurrent versions.
func (s *Store) Delete(ctx context.Context, name string) error {
	key, err := s.key(ctx, name)
	if err != nil {
		return err
	}
	_, err = s.client.DeleteObject(ctx, &s3.DeleteObjectInput{
		Bucket: &s.options.Place.Bucket, Key: &key, ExpectedBucketOwner: s.options.Place.ExpectedOwner(),
	})
	if err != nil && awserr.Classify(err) != awserr.Gone {
		return s.failed("delete", key, err)
	}
	return nil
}

// prepare writes the format record before the first write, and checks that the service refuses to
// create an object twice. Some services accept If-None-Match and ignore it. On such a service two
// writers would not notice each other.
func (s *Store) prepare(ctx context.Context) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.prepared {
		return nil
	}
	key := s.options.Place.Prefix + store.FormatName
	data, err := store.SealFormat()
	if err != nil {
		return err
	}
	err = fs.ErrExist
	for range 2 {
		err = s.createObject(ctx, key, data)
		if err != nil {
			break
		}
	}
	if err == nil {
		return fmt.Errorf("create %s: the service created the object twice: it ignores If-None-Match, which syncd needs to exclude a second writer", s.uri(key))
	}
	if !errors.Is(err, fs.ErrExist) {
		return err
	}
	there, _, err := s.readObject(ctx, key)
	if err == nil {
		err = store.CheckFormat(there)
	}
	s.prepared = err == nil
	return err
}

// mark returns a text that is unique to one write.
func mark() string { return strings.ToLower(rand.Text()) }
