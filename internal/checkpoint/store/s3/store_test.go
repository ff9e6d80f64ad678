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

// TestS3RequestsOfReads checks that opening a record is one request, that reading its end, or any of
// a small record, is none, and that any other read is one request.
func TestS3RequestsOfReads(t *testing.T) {
	t.Parallel()
	s := s3test.New()
	wire := &s3test.Recorder{Next: s.Cloud.RoundTripper()}
	from := s.Store(wire)
	large := s3test.Large()
	small := large[:s3store.EndBytes]
	for name, data := range map[string][]byte{"alpha/large": large, "alpha/small": small} {
		if err := s3test.CreateLarge(t.Context(), from, name, data); err != nil {
			t.Fatalf("create: %v", err)
		}
	}
	end := int64(len(large))
	for _, tt := range []struct {
		name     string
		data     []byte
		reads    []store.Span
		requests int
	}{
		{"alpha/large", large, nil, 1},
		{"alpha/large", large, []store.Span{{Start: end - s3store.EndBytes, End: end}, {Start: end - 5, End: end}}, 1},
		{"alpha/large", large, []store.Span{{Start: end - s3store.EndBytes - 1, End: end}}, 2},
		{"alpha/large", large, []store.Span{{Start: end - 5, End: end}, {Start: 4 << 20, End: 13 << 20}, {Start: 0, End: 1}, {Start: 1, End: 1}}, 3},
		{"alpha/small", small, []store.Span{{Start: 0, End: 1}, {Start: 7, End: 7000}, {Start: 0, End: int64(len(small))}}, 1},
	} {
		wire.Seen = nil
		record, err := from.Open(t.Context(), tt.name, 0)
		if err != nil {
			t.Fatalf("open: %v", err)
		}
		for _, span := range tt.reads {
			part := make([]byte, span.Length())
			if _, err := record.ReadAt(part, span.Start); err != nil || !bytes.Equal(part, tt.data[span.Start:span.End]) {
				t.Errorf("%s %v: got other bytes, %v", tt.name, span, err)
			}
		}
		if got := wire.Count("get "); got != tt.requests {
			t.Errorf("%s %v: got %d requests, want %d", tt.name, tt.reads, got, tt.requests)
		}
		if n, err := record.ReadAt(make([]byte, 9), record.Size()-5); n != 5 || !errors.Is(err, io.EOF) {
			t.Errorf("%s: read past the end: got %d bytes, %v, want 5 and EOF", tt.name, n, err)
		}
	}
}

// TestS3WritesWholeRecords checks that WriteTo writes the whole record, whatever was read before.
func TestS3WritesWholeRecords(t *testing.T) {
	t.Parallel()
	s := s3test.New()
	from := s.Store(nil)
	for _, data := range [][]byte{s3test.Large(), s3test.Large()[:s3store.EndBytes], s3test.Large()[:s3store.EndBytes+1], nil} {
		name := fmt.Sprintf("alpha/record-%d", len(data))
		if err := s3test.CreateLarge(t.Context(), from, name, data); err != nil {
			t.Fatalf("create: %v", err)
		}
		record, err := from.Open(t.Context(), name, 0)
		if err != nil {
			t.Fatalf("open: %v", err)
		}
		for range 2 {
			var whole bytes.Buffer
			if n, err := record.WriteTo(&whole); err != nil || n != int64(len(data)) || !bytes.Equal(whole.Bytes(), data) {
				t.Errorf("got %d bytes, %v, want the %d written", n, err, len(data))
			}
			_, _ = record.ReadAt(make([]byte, 1), 0)
		}
	}
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

// TestS3RefusesOtherFormats checks that a store of an earlier or a later format is refused, and that
// the error says what to do.
func TestS3RefusesOtherFormats(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		version   int
		sum, text string
	}{
		// printf '{"version":1}' | sha256sum
		{1, "2430f1a2ad2982d0067885488a4c89e21ad1d7c83b115ba8f1b20acc88dfaea8", "delete format.json and all records"},
		{3, "9af23cea10a478f3bb916ff35c07a36debe444adf9b56814ab63861ec674ab8b", "newer syncd"},
	} {
		s := s3test.New()
		other := fmt.Sprintf(`{"sha256":"%s","record":{"version":%d}}`+"\n", tt.sum, tt.version)
		s.Bucket.Put(s3test.Prefix+"format.json", awsfake.BytesBody([]byte(other)), awsfake.PutOptions{})
		_, err := checkpoint.Open(t.Context(), s.Store(nil), options())
		if version, ok := errors.AsType[*store.VersionError](err); !ok || version.Version != tt.version || !strings.Contains(err.Error(), tt.text) {
			t.Errorf("version %d: got %v, want a VersionError that says %q", tt.version, err, tt.text)
		}
	}
}

func TestS3ErrorsNameTheObject(t *testing.T) {
	t.Parallel()
	s := s3test.New()
	store := s.Store(nil)
	s.Cloud.Inject(awsfake.Fault{Kind: awsfake.AccessDenied})
	_, readErr := store.Read(t.Context(), "alpha/record")
	_, openErr := store.Open(t.Context(), "alpha/record", 0)
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
	if _, err := store.Open(t.Context(), "alpha/record", 0); err != nil {
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
	chunk, err := from.Open(t.Context(), "alpha/large", 0)
	if err != nil {
		t.Fatal(err)
	}
	s.Bucket.Put(s3test.Prefix+"alpha/large", awsfake.BytesBody(s3test.Large()), awsfake.PutOptions{})
	_, err = chunk.ReadAt(make([]byte, 1), 5<<20)
	if _, ok := errors.AsType[*store.CorruptError](err); !ok {
		t.Errorf("read: got %v, want a CorruptError", err)
	}
}
