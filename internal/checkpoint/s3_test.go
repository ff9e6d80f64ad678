package checkpoint_test

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
)

func TestS3KeepsTheContract(t *testing.T) {
	t.Parallel()
	for name, prefix := range map[string]string{"at the root": "", "under a prefix": "état/a b+c"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			checkpointtest.Run(t, func(t *testing.T) checkpoint.Store {
				t.Helper()
				s := newState()
				o := s.options()
				o.Prefix, o.KMSKey = prefix, s.key.ARN()
				return checkpoint.NewS3(s.client(nil, 3), o)
			})
		})
	}
}

func TestS3LargeRecord(t *testing.T) {
	t.Parallel()
	s := newState()
	wire := &recorder{next: s.cloud.RoundTripper()}
	o := s.options()
	o.KMSKey = s.key.ARN()
	store := checkpoint.NewS3(s.client(wire, 1), o)
	data := large()
	if err := createLarge(t.Context(), store, "alpha/large", data); err != nil {
		t.Fatalf("create: %v", err)
	}
	if got := wire.count("part "); got != 4 {
		t.Errorf("got %d parts, want 4 of at most 5 MiB", got)
	}
	object, _ := s.bucket.Object(statePrefix + "alpha/large")
	if object.KeyARN != s.key.ARN() {
		t.Errorf("key: got %q, want %q", object.KeyARN, s.key.ARN())
	}
	if err := createLarge(t.Context(), store, "alpha/large", data); !errors.Is(err, fs.ErrExist) {
		t.Errorf("create again: got %v, want %v", err, fs.ErrExist)
	}
	if got := s.bucket.Uploads(); got != 0 {
		t.Errorf("got %d unfinished uploads, want none", got)
	}
}

// TestS3ReadsWhatIsExpected reads a large record in many pieces: each part that is expected takes one request, others as many as there
// are pieces, and all of it at once takes one more than Open does.
func TestS3ReadsWhatIsExpected(t *testing.T) {
	t.Parallel()
	s := newState()
	wire := &recorder{next: s.cloud.RoundTripper()}
	store := s.store(wire)
	data := large()
	if err := createLarge(t.Context(), store, "alpha/large", data); err != nil {
		t.Fatalf("create: %v", err)
	}
	wire.seen = nil
	chunk, err := store.Open(t.Context(), "alpha/large")
	if err != nil {
		t.Fatalf("open: %v", err)
	}
	var whole bytes.Buffer
	if n, err := chunk.WriteTo(&whole); err != nil || n != chunk.Size() || !bytes.Equal(whole.Bytes(), data) {
		t.Errorf("read: got %d bytes, %v, want the %d written", n, err, len(data))
	}
	if n := wire.count("get "); n != 2 {
		t.Errorf("reading all took %d requests, want 2", n)
	}
	chunk.Expect([]checkpoint.Span{{Start: 5 << 20, End: 6 << 20}, {Start: 7 << 20, End: 10 << 20}})
	for _, tt := range []struct {
		from, to int64
		requests int
	}{{5 << 20, 6 << 20, 1}, {7 << 20, 10 << 20, 1}, {6 << 20, 7 << 20, 64}, {19 << 20, chunk.Size(), 1}} {
		wire.seen = nil
		part := readerAt{chunk, tt.from, tt.to}.pieces(t, 16<<10)
		if got := wire.count("get "); !bytes.Equal(part, data[tt.from:tt.to]) || got != tt.requests {
			t.Errorf("%d-%d: got %d bytes in %d requests, want those written, in %d", tt.from, tt.to, len(part), got, tt.requests)
		}
	}
	across := make([]byte, 9<<20)
	if _, err := chunk.ReadAt(across, 4<<20); err != nil || !bytes.Equal(across, data[4<<20:13<<20]) {
		t.Errorf("read across parts: got other bytes, %v", err)
	}
	if n, err := chunk.ReadAt(across, chunk.Size()-5); n != 5 || !errors.Is(err, io.EOF) {
		t.Errorf("read behind the end: got %d bytes, %v, want 5 and EOF", n, err)
	}
}

// readerAt is a part of a record.
type readerAt struct {
	io.ReaderAt
	from, to int64
}

// pieces reads it in pieces of that size, every other one first, as columns side by side are.
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

// TestS3LostAnswerOfACreation lets the SDK repeat a request that has succeeded.
func TestS3LostAnswerOfACreation(t *testing.T) {
	t.Parallel()
	for operation, data := range map[string][]byte{"PutObject": []byte("small"), "CompleteMultipartUpload": large()} {
		s := newState()
		store := checkpoint.NewS3(s.client(nil, 3), s.options())
		s.cloud.Inject(awsfake.Fault{Operation: operation, Kind: awsfake.LoseAnswer, Times: 1})
		if err := createLarge(t.Context(), store, "alpha/record", data); err != nil {
			t.Errorf("%s: got %v, want nil: it was this write that took the name", operation, err)
		}
		if err := createLarge(t.Context(), store, "alpha/record", data); !errors.Is(err, fs.ErrExist) {
			t.Errorf("%s: the same bytes by another write: got %v, want %v", operation, err, fs.ErrExist)
		}
	}
}

func TestS3ConflictIsTriedAgain(t *testing.T) {
	t.Parallel()
	s := newState()
	store := s.store(nil)
	s.cloud.Inject(awsfake.Fault{Operation: "PutObject", Kind: awsfake.Conflict, Times: 1})
	if err := createIn(t.Context(), store, "alpha/record", "x"); err != nil {
		t.Errorf("create: got %v, want nil", err)
	}
}

func TestS3ServiceWithoutConditions(t *testing.T) {
	t.Parallel()
	t.Run("refuses them", func(t *testing.T) {
		t.Parallel()
		s := newState()
		store := s.store(roundTrip(func(r *http.Request) (*http.Response, error) {
			if r.Header.Get("If-None-Match") != "" {
				return &http.Response{StatusCode: http.StatusNotImplemented, Body: http.NoBody, Request: r, Header: http.Header{"X-Amz-Request-Id": {"1"}}}, nil
			}
			return s.cloud.RoundTripper().RoundTrip(r)
		}))
		_, err := store.Acquire(t.Context(), mapping, "me")
		if err == nil || !strings.Contains(err.Error(), "lacks conditional writes") {
			t.Errorf("acquire: got %v, want that the service lacks conditional writes", err)
		}
	})
	t.Run("ignores them", func(t *testing.T) {
		t.Parallel()
		s := newState()
		_, err := checkpoint.NewS3(careless{s.client(nil, 1)}, s.options()).Acquire(t.Context(), mapping, "me")
		if err == nil || !strings.Contains(err.Error(), "ignores If-None-Match") {
			t.Errorf("acquire: got %v, want that the service ignores the condition", err)
		}
	})
}

// careless sends no conditions, as if the service did not see them.
type careless struct{ *s3.Client }

func (c careless) PutObject(ctx context.Context, in *s3.PutObjectInput, o ...func(*s3.Options)) (*s3.PutObjectOutput, error) {
	in.IfNoneMatch = nil
	return c.Client.PutObject(ctx, in, o...)
}

func TestS3RefusesALaterFormat(t *testing.T) {
	t.Parallel()
	s := newState()
	// printf '{"version":2}' | sha256sum
	later := `{"sha256":"732322c128ed67841ef5aa42c7cd04ffcd74a61b2d17d710cd502b713d62930d","record":{"version":2}}` + "\n"
	s.bucket.Put(statePrefix+"format.json", awsfake.BytesBody([]byte(later)), awsfake.PutOptions{})
	_, err := checkpoint.Open(t.Context(), s.store(nil), options())
	if version, ok := errors.AsType[*checkpoint.VersionError](err); !ok || version.Version != 2 {
		t.Errorf("open: got %v, want a VersionError of 2", err)
	}
}

func TestS3ErrorsNameTheObject(t *testing.T) {
	t.Parallel()
	s := newState()
	store := s.store(nil)
	s.cloud.Inject(awsfake.Fault{Kind: awsfake.AccessDenied})
	_, readErr := store.Read(t.Context(), "alpha/record")
	_, openErr := store.Open(t.Context(), "alpha/record")
	_, listErr := store.List(t.Context(), "alpha/")
	for verb, err := range map[string]error{
		"read": readErr, "list": listErr, "create": createIn(t.Context(), store, "alpha/record", "x"),
		"delete": store.Delete(t.Context(), "alpha/record"),
	} {
		want := verb + " state s3://" + stateBucket + "/" + statePrefix + "alpha/"
		if err == nil || !strings.HasPrefix(err.Error(), want) || awserr.Classify(err) != awserr.Denied {
			t.Errorf("%s: got %v, want it to begin with %q and to be a denial", verb, err, want)
		}
	}
	if openErr == nil || errors.Is(openErr, fs.ErrNotExist) {
		t.Errorf("open: got %v, want a denial", openErr)
	}
}

func TestS3ListIgnoresWhatIsNoRecord(t *testing.T) {
	t.Parallel()
	s := newState()
	for _, key := range []string{"alpha/lock", "alpha/Bad", "alpha/a b", "alpha/\x01", "other", "alpha/.hidden"} {
		s.bucket.Put(statePrefix+key, awsfake.BytesBody(nil), awsfake.PutOptions{})
	}
	s.bucket.Put("syncd-elsewhere/alpha/record", awsfake.BytesBody(nil), awsfake.PutOptions{})
	var want []string
	for i := range 1203 { // more than a page
		name := fmt.Sprintf("alpha/record-%04d", i)
		s.bucket.Put(statePrefix+name, awsfake.BytesBody(nil), awsfake.PutOptions{})
		want = append(want, name)
	}
	got, err := s.store(nil).List(t.Context(), "")
	if diff := cmp.Diff(want, got); err != nil || diff != "" {
		t.Errorf("list: %v (-want +got):\n%s", err, diff)
	}
}

// TestS3CutBodies breaks connections while bodies are read.
func TestS3CutBodies(t *testing.T) {
	t.Parallel()
	s := newState()
	store := s.store(nil)
	if err := createIn(t.Context(), store, "alpha/record", "0123456789"); err != nil {
		t.Fatal(err)
	}
	s.cloud.Inject(awsfake.Fault{Operation: "GetObject", Kind: awsfake.CutBody, Times: 2})
	got, err := store.Read(t.Context(), "alpha/record")
	if err != nil || string(got) != "0123456789" {
		t.Errorf("read: got %q, %v", got, err)
	}
	s.cloud.Inject(awsfake.Fault{Operation: "GetObject", Kind: awsfake.CutBody, Times: 2})
	if _, err := store.Open(t.Context(), "alpha/record"); err != nil {
		t.Errorf("open: got %v, want nil at the third try", err)
	}
	s.cloud.Inject(awsfake.Fault{Operation: "GetObject", Kind: awsfake.CutBody})
	if _, err := store.Read(t.Context(), "alpha/record"); !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("read: got %v, want %v", err, io.ErrUnexpectedEOF)
	}
}

func TestS3ReplacedWhileRead(t *testing.T) {
	t.Parallel()
	s := newState()
	store := s.store(nil)
	if err := createLarge(t.Context(), store, "alpha/large", large()); err != nil {
		t.Fatal(err)
	}
	chunk, err := store.Open(t.Context(), "alpha/large")
	if err != nil {
		t.Fatal(err)
	}
	s.bucket.Put(statePrefix+"alpha/large", awsfake.BytesBody(large()), awsfake.PutOptions{})
	_, err = chunk.ReadAt(make([]byte, 1), 5<<20)
	if _, ok := errors.AsType[*checkpoint.CorruptError](err); !ok {
		t.Errorf("read: got %v, want a CorruptError", err)
	}
}
