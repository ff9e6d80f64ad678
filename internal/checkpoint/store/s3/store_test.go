package s3_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/google/go-cmp/cmp"

	"syncd/internal/awserr"
	"syncd/internal/awsfake"
	"syncd/internal/checkpoint"
	"syncd/internal/checkpoint/checkpointtest"
	"syncd/internal/checkpoint/store"
	s3store "syncd/internal/checkpoint/store/s3"
	"syncd/internal/checkpoint/store/s3/s3test"
)

func TestS3FulfillsTheContract(t *testing.T) {
	t.Parallel()
	for name, prefix := range map[string]string{"at the root": "", "under a prefix": "état/a b+c"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			checkpointtest.Run(t, func(t *testing.T) store.Store {
				t.Helper()
				s := s3test.New()
				o := s.Options()
				o.Place.Prefix, o.KMSKey = prefix, s.Key.ARN()
				return s3store.New(s.Client(nil, 3), o)
			})
		})
	}
}

func TestS3LargeRecord(t *testing.T) {
	t.Parallel()
	s := s3test.New()
	wire := &s3test.Recorder{Next: s.Cloud.RoundTripper()}
	o := s.Options()
	o.KMSKey = s.Key.ARN()
	store := s3store.New(s.Client(wire, 1), o)
	data := s3test.Large()
	if err := s3test.CreateLarge(t.Context(), store, "alpha/large", data); err != nil {
		t.Fatalf("create: %v", err)
	}
	if got := wire.Count("part "); got != 4 {
		t.Errorf("got %d parts, want 4 of at most 5 MiB", got)
	}
	object, _ := s.Bucket.Object(s3test.Prefix + "alpha/large")
	if object.KeyARN != s.Key.ARN() {
		t.Errorf("key: got %q, want %q", object.KeyARN, s.Key.ARN())
	}
	if err := s3test.CreateLarge(t.Context(), store, "alpha/large", data); !errors.Is(err, fs.ErrExist) {
		t.Errorf("create again: got %v, want %v", err, fs.ErrExist)
	}
	if got := s.Bucket.Uploads(); got != 0 {
		t.Errorf("got %d unfinished uploads, want none", got)
	}
}

// TestS3ReadsExpectedParts reads a large record in many pieces. It checks that each expected part
// takes one request, that other parts take one request per piece, and that WriteTo takes one
// request more than Open.
func TestS3ReadsExpectedParts(t *testing.T) {
	t.Parallel()
	s := s3test.New()
	wire := &s3test.Recorder{Next: s.Cloud.RoundTripper()}
	from := s.Store(wire)
	data := s3test.Large()
	if err := s3test.CreateLarge(t.Context(), from, "alpha/large", data); err != nil {
		t.Fatalf("create: %v", err)
	}
	wire.Seen = nil
	chunk, err := from.Open(t.Context(), "alpha/large")
	if err != nil {
		t.Fatalf("open: %v", err)
	}
	var whole bytes.Buffer
	if n, err := chunk.WriteTo(&whole); err != nil || n != chunk.Size() || !bytes.Equal(whole.Bytes(), data) {
		t.Errorf("read: got %d bytes, %v, want the %d written", n, err, len(data))
	}
	if n := wire.Count("get "); n != 2 {
		t.Errorf("reading all took %d requests, want 2", n)
	}
	chunk.Expect([]store.Span{{Start: 5 << 20, End: 6 << 20}, {Start: 7 << 20, End: 10 << 20}})
	for _, tt := range []struct {
		from, to int64
		requests int
	}{{5 << 20, 6 << 20, 1}, {7 << 20, 10 << 20, 1}, {6 << 20, 7 << 20, 64}, {19 << 20, chunk.Size(), 1}} {
		wire.Seen = nil
		part := readerAt{chunk, tt.from, tt.to}.pieces(t, 16<<10)
		if got := wire.Count("get "); !bytes.Equal(part, data[tt.from:tt.to]) || got != tt.requests {
			t.Errorf("%d-%d: got %d bytes in %d requests, want those written, in %d", tt.from, tt.to, len(part), got, tt.requests)
		}
	}
	across := make([]byte, 9<<20)
	if _, err := chunk.ReadAt(across, 4<<20); err != nil || !bytes.Equal(across, data[4<<20:13<<20]) {
		t.Errorf("read across parts: got other bytes, %v", err)
	}
	if n, err := chunk.ReadAt(across, chunk.Size()-5); n != 5 || !errors.Is(err, io.EOF) {
		t.Errorf("read past the end: got %d bytes, %v, want 5 and EOF", n, err)
	}
}

// readerAt is a part of an open record.
type readerAt struct {
	io.ReaderAt
	from, to int64
}

// pieces reads the part in pieces of the given size: first every other piece, then the pieces
// between them, like adjacent columns.
func (r readerAt) pieces(t *testing.T, size int64) []byte {
	t.Helper()
	part := make([]byte, r.to-r.from)
	for _, first := range []int64{0, size} {
		for at := first; at < int64(len(part)); at += 2 * size {
			piece := part[at:min(at+size, int64(len(part)))]
			if _, err := r.ReadAt(piece, r.from+at); err != nil {
				t.Fatal(err)
			}
		}
	}
	return part
}

// TestS3LostResponseOfACreation checks that a write succeeds if the SDK repeats a request that had
// already succeeded, and that another write of the same bytes fails.
func TestS3LostResponseOfACreation(t *testing.T) {
	t.Parallel()
	for operation, data := range map[string][]byte{"PutObject": []byte("small"), "CompleteMultipartUpload": s3test.Large()} {
		s := s3test.New()
		store := s3store.New(s.Client(nil, 3), s.Options())
		s.Cloud.Inject(awsfake.Fault{Operation: operation, Kind: awsfake.LoseAnswer, Times: 1})
		if err := s3test.CreateLarge(t.Context(), store, "alpha/record", data); err != nil {
			t.Errorf("%s: got %v, want nil: this write took the name", operation, err)
		}
		if err := s3test.CreateLarge(t.Context(), store, "alpha/record", data); !errors.Is(err, fs.ErrExist) {
			t.Errorf("%s: the same bytes by another write: got %v, want %v", operation, err, fs.ErrExist)
		}
	}
}

func TestS3ConflictIsTriedAgain(t *testing.T) {
	t.Parallel()
	s := s3test.New()
	store := s.Store(nil)
	s.Cloud.Inject(awsfake.Fault{Operation: "PutObject", Kind: awsfake.Conflict, Times: 1})
	if err := checkpointtest.Put(t.Context(), store, "alpha/record", "x"); err != nil {
		t.Errorf("create: got %v, want nil", err)
	}
}

func TestS3ServiceWithoutConditions(t *testing.T) {
	t.Parallel()
	t.Run("refuses them", func(t *testing.T) {
		t.Parallel()
		s := s3test.New()
		store := s.Store(s3test.RoundTrip(func(r *http.Request) (*http.Response, error) {
			if r.Header.Get("If-None-Match") != "" {
				return &http.Response{StatusCode: http.StatusNotImplemented, Body: http.NoBody, Request: r, Header: http.Header{"X-Amz-Request-Id": {"1"}}}, nil
			}
			return s.Cloud.RoundTripper().RoundTrip(r)
		}))
		_, err := store.Acquire(t.Context(), mapping, "me")
		if err == nil || !strings.Contains(err.Error(), "does not support conditional writes") {
			t.Errorf("acquire: got %v, want an error for the missing conditional writes", err)
		}
	})
	t.Run("ignores them", func(t *testing.T) {
		t.Parallel()
		s := s3test.New()
		_, err := s3store.New(careless{s.Client(nil, 1)}, s.Options()).Acquire(t.Context(), mapping, "me")
		if err == nil || !strings.Contains(err.Error(), "ignores If-None-Match") {
			t.Errorf("acquire: got %v, want an error for the ignored condition", err)
		}
	})
}

// careless sends no conditions, like a service that ignores them.
type careless struct{ *s3.Client }

func (c careless) PutObject(ctx context.Context, in *s3.PutObjectInput, o ...func(*s3.Options)) (*s3.PutObjectOutput, error) {
	in.IfNoneMatch = nil
	return c.Client.PutObject(ctx, in, o...)
}

func TestS3RefusesALaterFormat(t *testing.T) {
	t.Parallel()
	s := s3test.New()
	// printf '{"version":2}' | sha256sum
	later := `{"sha256":"732322c128ed67841ef5aa42c7cd04ffcd74a61b2d17d710cd502b713d62930d","record":{"version":2}}` + "\n"
	s.Bucket.Put(s3test.Prefix+"format.json", awsfake.BytesBody([]byte(later)), awsfake.PutOptions{})
	_, err := checkpoint.Open(t.Context(), s.Store(nil), options())
	if version, ok := errors.AsType[*store.VersionError](err); !ok || version.Version != 2 {
		t.Errorf("open: got %v, want a VersionError of 2", err)
	}
}

func TestS3ErrorsNameTheObject(t *testing.T) {
	t.Parallel()
	s := s3test.New()
	store := s.Store(nil)
	s.Cloud.Inject(awsfake.Fault{Kind: awsfake.AccessDenied})
	_, readErr := store.Read(t.Context(), "alpha/record")
	_, openErr := store.Open(t.Context(), "alpha/record")
	_, listErr := store.List(t.Context(), "alpha/")
	for verb, err := range map[string]error{
		"read": readErr, "list": listErr, "create": checkpointtest.Put(t.Context(), store, "alpha/record", "x"),
		"delete": store.Delete(t.Context(), "alpha/record"),
	} {
		want := verb + " state s3://" + s3test.Bucket + "/" + s3test.Prefix + "alpha/"
		if err == nil || !strings.HasPrefix(err.Error(), want) || awserr.Classify(err) != awserr.Denied {
			t.Errorf("%s: got %v, want it to begin with %q and to be a denial", verb, err, want)
		}
	}
	if openErr == nil || errors.Is(openErr, fs.ErrNotExist) {
		t.Errorf("open: got %v, want a denial", openErr)
	}
}

func TestS3ListIgnoresOtherObjects(t *testing.T) {
	t.Parallel()
	s := s3test.New()
	for _, key := range []string{"alpha/lock", "alpha/Bad", "alpha/a b", "alpha/\x01", "other", "alpha/.hidden"} {
		s.Bucket.Put(s3test.Prefix+key, awsfake.BytesBody(nil), awsfake.PutOptions{})
	}
	s.Bucket.Put("syncd-elsewhere/alpha/record", awsfake.BytesBody(nil), awsfake.PutOptions{})
	var want []string
	for i := range 1203 { // more than one listing page
		name := fmt.Sprintf("alpha/record-%04d", i)
		s.Bucket.Put(s3test.Prefix+name, awsfake.BytesBody(nil), awsfake.PutOptions{})
		want = append(want, name)
	}
	got, err := s.Store(nil).List(t.Context(), "")
	if diff := cmp.Diff(want, got); err != nil || diff != "" {
		t.Errorf("list: %v (-want +got):\n%s", err, diff)
	}
}

// TestS3CutBodies checks that a read succeeds if the connection breaks twice while the body is
// read, and fails if it breaks every time.
func TestS3CutBodies(t *testing.T) {
	t.Parallel()
	s := s3test.New()
	store := s.Store(nil)
	if err := checkpointtest.Put(t.Context(), store, "alpha/record", "0123456789"); err != nil {
		t.Fatal(err)
	}
	s.Cloud.Inject(awsfake.Fault{Operation: "GetObject", Kind: awsfake.CutBody, Times: 2})
	got, err := store.Read(t.Context(), "alpha/record")
	if err != nil || string(got) != "0123456789" {
		t.Errorf("read: got %q, %v", got, err)
	}
	s.Cloud.Inject(awsfake.Fault{Operation: "GetObject", Kind: awsfake.CutBody, Times: 2})
	if _, err := store.Open(t.Context(), "alpha/record"); err != nil {
		t.Errorf("open: got %v, want nil at the third try", err)
	}
	s.Cloud.Inject(awsfake.Fault{Operation: "GetObject", Kind: awsfake.CutBody})
	if _, err := store.Read(t.Context(), "alpha/record"); !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("read: got %v, want %v", err, io.ErrUnexpectedEOF)
	}
}

func TestS3ReplacedWhileRead(t *testing.T) {
	t.Parallel()
	s := s3test.New()
	from := s.Store(nil)
	if err := s3test.CreateLarge(t.Context(), from, "alpha/large", s3test.Large()); err != nil {
		t.Fatal(err)
	}
	chunk, err := from.Open(t.Context(), "alpha/large")
	if err != nil {
		t.Fatal(err)
	}
	s.Bucket.Put(s3test.Prefix+"alpha/large", awsfake.BytesBody(s3test.Large()), awsfake.PutOptions{})
	_, err = chunk.ReadAt(make([]byte, 1), 5<<20)
	if _, ok := errors.AsType[*store.CorruptError](err); !ok {
		t.Errorf("read: got %v, want a CorruptError", err)
	}
}
