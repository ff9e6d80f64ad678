package deleting_test

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/smithy-go/middleware"
	"golang.org/x/sync/semaphore"
	"pgregory.net/rapid"

	"syncd/internal/admit"
	"syncd/internal/awsfake"
	"syncd/internal/awsfake/s3/store"
	"syncd/internal/checkpoint/record"
	"syncd/internal/copier/deleting"
	"syncd/internal/copier/request"
	"syncd/internal/transfer"
)

const (
	region  = "us-west-2"
	account = "111111111111"
)

// slots is a limit on requests in flight.
type slots struct{ *semaphore.Weighted }

func (s slots) Acquire(ctx context.Context) error { return s.Weighted.Acquire(ctx, 1) }
func (s slots) Release()                          { s.Weighted.Release(1) }

// world is a source and a destination of one account.
type world struct {
	source, destination *awsfake.Bucket
	options             deleting.Options
}

func newWorld(tb testing.TB) *world {
	tb.Helper()
	cloud := awsfake.New(awsfake.Options{})
	a := cloud.Account(account)
	user := a.AdminUser()
	w := &world{source: a.CreateBucket("owner-data", region, awsfake.BucketOptions{}), destination: a.CreateBucket("consumer-copy", region, awsfake.BucketOptions{})}
	client := s3.New(s3.Options{
		Region: region, UsePathStyle: true, BaseEndpoint: aws.String("http://aws.invalid"), RetryMaxAttempts: 1,
		Credentials: credentials.NewStaticCredentialsProvider(user.AccessKeyID, user.SecretAccessKey, ""),
		HTTPClient:  &http.Client{Transport: cloud.RoundTripper()}, APIOptions: []func(*middleware.Stack) error{admit.New().Attach, request.TolerateKeys},
	})
	w.options = deleting.Options{
		Source: client, Destination: client, Requests: &request.Sender{Slots: slots{semaphore.NewWeighted(16)}},
		SourcePlace: transfer.Place{Bucket: "owner-data", Prefix: "in/"}, DestinationPlace: transfer.Place{Bucket: "consumer-copy", Prefix: "out/"},
	}
	return w
}

// put creates an object with the given content in a bucket, and returns the entry of its source key.
func (w *world) put(in *awsfake.Bucket, key, content string) record.Entry {
	in.Put(key, awsfake.BytesBody([]byte(content)), awsfake.PutOptions{})
	object, _ := in.Object(key)
	return record.Entry{Key: "in/" + strings.TrimPrefix(key, "out/"), DestinationETag: object.ETag}
}

// TestRecheck compares Recheck with sets of keys, for pages of random sizes: Gone must have exactly the keys
// that the source lacks, and Vacant must cover them and no key of the source.
func TestRecheck(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		w := newWorld(t)
		page := rapid.IntRange(1, 5).Draw(rt, "page")
		w.source.Configure(func(set *store.Settings) { set.PageKeys = page })
		isThere := map[string]bool{}
		var entries []record.Entry
		for _, key := range slices.Sorted(slices.Values(rapid.SliceOfNDistinct(rapid.StringMatching("in/[a-c]{1,3}|in/[\x01é\U0010ffff]{1,2}"), 1, 20, rapid.ID[string]).Draw(rt, "keys"))) {
			if isThere[key] = rapid.Bool().Draw(rt, "exists"); isThere[key] {
				w.put(w.source, key, "x")
			}
			if rapid.Bool().Draw(rt, "due") {
				entries = append(entries, record.Entry{Key: key})
			}
		}
		got, err := deleting.New(w.options).Recheck(t.Context(), entries)
		if err != nil {
			rt.Fatal(err)
		}
		covers := func(key string) bool {
			return slices.ContainsFunc(got.Vacant, func(r record.Range) bool { return r.Contains(key) })
		}
		for _, e := range entries {
			isGone := slices.ContainsFunc(got.Gone, func(g record.Entry) bool { return g.Key == e.Key })
			isReturned := slices.Contains(got.Done, deleting.Deletion{Key: e.Key, Ending: deleting.Returned})
			if isGone == isThere[e.Key] || isReturned != isThere[e.Key] || isGone && !covers(e.Key) {
				rt.Errorf("%q: got %+v, and the source has it: %v", e.Key, got, isThere[e.Key])
			}
		}
		for key, ok := range isThere {
			if ok && covers(key) {
				rt.Errorf("got %+v, which covers %q of the source", got.Vacant, key)
			}
		}
	})
}

// TestOnePageAnswersForMany checks that neighbours are looked up with one request for each group, and that a
// range of absent keys is one range of Vacant in each group.
func TestOnePageAnswersForMany(t *testing.T) {
	w := newWorld(t)
	w.put(w.source, "in/z", "x")
	var entries []record.Entry
	for i := range 2*deleting.Group + 1 {
		entries = append(entries, record.Entry{Key: fmt.Sprintf("in/%04d", i)})
	}
	got, err := deleting.New(w.options).Recheck(t.Context(), entries)
	if err != nil || len(got.Gone) != len(entries) || len(got.Vacant) != 3 || len(got.Done) != 0 {
		t.Errorf("got %d gone, %+v vacant, %+v, %v, want all gone in three ranges", len(got.Gone), got.Vacant, got.Done, err)
	}
}

// TestServicesThatIgnoreConditions checks that a copy that others have overwritten is not sent to a service
// other than S3.
func TestServicesThatIgnoreConditions(t *testing.T) {
	w := newWorld(t)
	w.options.ToS3 = func() bool { return false }
	ours, others := w.put(w.destination, "out/a", "x"), w.put(w.destination, "out/b", "x")
	w.put(w.destination, "out/b", "of another writer")
	got, err := deleting.New(w.options).Recheck(t.Context(), []record.Entry{ours, others, {Key: "in/c"}})
	want := []deleting.Deletion{{Key: "in/b", Ending: deleting.Overwritten}, {Key: "in/c", Ending: deleting.Absent}}
	if err != nil || len(got.Gone) != 1 || got.Gone[0].Key != "in/a" || !slices.Equal(got.Done, want) {
		t.Errorf("got %+v, %v, want only in/a gone, and %+v", got, err, want)
	}
}

// TestDelete deletes a copy, a copy that was overwritten and one that does not exist, with keys that
// DeleteObjects can name and keys that it cannot.
func TestDelete(t *testing.T) {
	for _, key := range []string{"plain", "tab\tand<&>", "control\x01", "carriage\rreturn"} {
		t.Run(key, func(t *testing.T) {
			w := newWorld(t)
			entries := []record.Entry{w.put(w.destination, "out/a"+key, "x"), w.put(w.destination, "out/b"+key, "x"), {Key: "in/c" + key, DestinationETag: `"0"`}}
			w.put(w.destination, "out/b"+key, "of another writer")
			done, busy, err := deleting.New(w.options).Delete(t.Context(), entries, nil)
			byKey := map[string]deleting.Ending{}
			for _, d := range done {
				byKey[d.Key] = d.Ending
			}
			isAbsent := byKey["in/c"+key] == deleting.Absent || byKey["in/c"+key] == deleting.Deleted
			if err != nil || len(busy) > 0 || byKey["in/a"+key] != deleting.Deleted || byKey["in/b"+key] != deleting.Overwritten || !isAbsent {
				t.Errorf("got %+v, %+v, %v", done, busy, err)
			}
			if got := w.destination.Keys(); !slices.Equal(got, []string{"out/b" + key}) {
				t.Errorf("got %q, want only the overwritten copy", got)
			}
		})
	}
}
