package listing_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"syncd/internal/awserr"
	"syncd/internal/awsfake"
	"syncd/internal/listing"
	"syncd/internal/transfer"
)

// awkward returns keys that other programs fail to list or copy. Each must be listed exactly as it
// was stored.
func awkward() []string {
	return []string{
		" ", "  two  spaces  ", "+", "a+b c", "%", "%2B", "%zz", "a%20b", "100%", "a&b=c;d?e#f", "quote\"s<>'`", "back\\slash",
		"\x01", "tab\there", "line\nfeed", "carriage\rreturn", "\x1f", "\x7f",
		"/", "//", "/leading", "a//b", "a/", "a/b", "a/./b", "a/../b", ".", "..", "../up",
		"caf\u00e9", "cafe\u0301", "\u65e5\u672c", "\U0001f600", "\uffff", "\u00a0", "\u2028",
		"A", "a", "~", "-", "_", "*", strings.Repeat("k", 1024),
	}
}

func TestListPreservesKeys(t *testing.T) {
	keys := awkward()
	w := newWorld(t, keys...)
	got, err := list(t, w.live(), listing.Range{})
	if err != nil {
		t.Fatal(err)
	}
	slices.Sort(keys) // byte order, as S3 lists
	if diff := cmp.Diff(keys, keysOf(got)); diff != "" {
		t.Errorf("keys (-want +got):\n%s", diff)
	}
}

func TestListFields(t *testing.T) {
	w := newWorld(t)
	modified := time.Date(2026, 2, 3, 4, 5, 6, 0, time.UTC)
	put := w.bucket.Put("k", awsfake.SyntheticBody(6<<40, 1), awsfake.PutOptions{StorageClass: "GLACIER_IR", LastModified: modified})
	got, err := list(t, w.live(), listing.Range{})
	want := []listing.Object{{Key: "k", Version: transfer.Version{ETag: `"` + put.ETag + `"`, Size: 6 << 40, LastModified: modified}, StorageClass: "GLACIER_IR"}}
	if err != nil || !cmp.Equal(want, got) {
		t.Errorf("got %+v, %v, want %+v", got, err, want)
	}
}

func numbered(n int) []string {
	keys := make([]string, n)
	for i := range keys {
		keys[i] = fmt.Sprintf("k%05d", i)
	}
	return keys
}

func TestListReadsPageByPage(t *testing.T) {
	for _, tt := range []struct{ keys, pages int }{{0, 1}, {1, 1}, {1000, 1}, {1001, 2}, {3500, 4}} {
		w := newWorld(t, numbered(tt.keys)...)
		got, err := list(t, w.live(), listing.Range{})
		if err != nil || !slices.Equal(keysOf(got), numbered(tt.keys)) {
			t.Errorf("%d keys: got %d, %v", tt.keys, len(got), err)
		}
		if n := w.cloud.Requests()["ListObjectsV2"]; n != int64(tt.pages) {
			t.Errorf("%d keys: got %d pages, want %d", tt.keys, n, tt.pages)
		}
	}
}

func TestListStopsWithTheLoop(t *testing.T) {
	w := newWorld(t, numbered(3000)...)
	for _, err := range w.live().List(t.Context(), listing.Range{}) {
		if err != nil {
			t.Fatal(err)
		}
		break
	}
	if n := w.cloud.Requests()["ListObjectsV2"]; n != 1 {
		t.Errorf("got %d pages for one object, want 1", n)
	}
}

func TestListOfARange(t *testing.T) {
	keys := []string{"a", "b", "b/", "b/1", "b/2", "c", "caf\u00e9", "d e", "d+e"}
	w := newWorld(t, keys...)
	for _, tt := range []struct {
		prefix, after, until string
		want                 []string
	}{
		{want: sorted(keys)},
		{after: "b", want: []string{"b/", "b/1", "b/2", "c", "caf\u00e9", "d e", "d+e"}},
		{after: "bb", want: []string{"c", "caf\u00e9", "d e", "d+e"}},
		{until: "b/1", want: []string{"a", "b", "b/", "b/1"}},
		{until: "b/10", want: []string{"a", "b", "b/", "b/1"}},
		{after: "b/1", until: "c", want: []string{"b/2", "c"}},
		{after: "c", until: "c", want: []string{}},
		{after: "d", until: "b", want: []string{}},
		{after: "zzz", want: []string{}},
		{until: "A", want: []string{}},
		{prefix: "b/", want: []string{"b/", "b/1", "b/2"}},
		{prefix: "b/", after: "a", want: []string{"b/", "b/1", "b/2"}},
		{prefix: "b/", after: "b/1", until: "zzz", want: []string{"b/2"}},
		{prefix: "d ", want: []string{"d e"}},
		{prefix: "d+", after: "d e", want: []string{"d+e"}},
		{prefix: "caf\u00e9", want: []string{"caf\u00e9"}},
		{prefix: "none", want: []string{}},
	} {
		l := w.live()
		l.Place.Prefix = tt.prefix
		r := listing.Range{After: tt.after, Until: tt.until}
		got, err := list(t, l, r)
		if diff := cmp.Diff(tt.want, keysOf(got)); diff != "" || err != nil {
			t.Errorf("%s %+v: %v (-want +got):\n%s", l, r, err, diff)
		}
	}
}

func sorted(keys []string) []string { return slices.Sorted(slices.Values(keys)) }

func TestListEndsWithItsError(t *testing.T) {
	for name, tt := range map[string]struct {
		kind  awsfake.FaultKind
		class awserr.Class
	}{
		"denied":    {awsfake.AccessDenied, awserr.Denied},
		"throttled": {awsfake.Throttle, awserr.Throttled},
		"internal":  {awsfake.InternalError, awserr.Transient},
		"reset":     {awsfake.Reset, awserr.Transient},
		"cut":       {awsfake.CutBody, awserr.Transient},
		"expired":   {awsfake.ExpiredToken, awserr.Expired},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, numbered(3500)...)
			w.cloud.Inject(awsfake.Fault{Operation: "ListObjectsV2", Skip: 2, Kind: tt.kind})
			got, err := list(t, w.live(), listing.Range{})
			if class := awserr.Classify(err); class != tt.class || len(got) != 2000 {
				t.Errorf("got %d objects and class %q (%v), want 2000 and %q", len(got), class, err, tt.class)
			}
			if err != nil && !strings.Contains(err.Error(), "list s3://owner-data/") {
				t.Errorf("got %v, want an error that names the bucket", err)
			}
		})
	}
}

func TestListOfAnAbsentBucket(t *testing.T) {
	w := newWorld(t)
	l := w.live()
	l.Place.Bucket = "no-such-bucket"
	got, err := list(t, l, listing.Range{})
	if awserr.Classify(err) != awserr.NoBucket || len(got) != 0 {
		t.Errorf("got %d objects, %v, want class %q", len(got), err, awserr.NoBucket)
	}
}

func TestListEndsWhenCanceled(t *testing.T) {
	w := newWorld(t, numbered(3500)...)
	ctx, cancel := context.WithCancel(t.Context())
	w.cloud.Inject(awsfake.Fault{Operation: "ListObjectsV2", Skip: 1, Kind: awsfake.Timeout, Do: cancel})
	got, err := collect(t, w.live().List(ctx, listing.Range{}))
	if awserr.Classify(err) != awserr.Canceled || len(got) != 1000 {
		t.Errorf("got %d objects, %v, want the first page and class %q", len(got), err, awserr.Canceled)
	}
}

// TestListTimesOut checks that a listing fails if its connection stays silent.
func TestListTimesOut(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, numbered(1500)...)
		w.cloud.Inject(awsfake.Fault{Operation: "ListObjectsV2", Skip: 1, Kind: awsfake.Timeout})
		start := time.Now()
		got, err := list(t, w.live(), listing.Range{})
		if awserr.Classify(err) != awserr.Transient || !errors.Is(err, context.DeadlineExceeded) || len(got) != 1000 {
			t.Errorf("got %d objects, %v, want the first page and class %q", len(got), err, awserr.Transient)
		}
		if waited := time.Since(start); waited > 5*time.Minute {
			t.Errorf("waited %s for a page", waited)
		}
	})
}

// TestListRejectsInvalidPages checks that a listing fails if a service breaks the rules on which
// the merge and the deletes rely.
func TestListRejectsInvalidPages(t *testing.T) {
	for name, tt := range map[string]struct {
		pages []string
		want  []string // keys before the error
		text  string
	}{
		"out of order":           {[]string{page("false", "b", "a")}, []string{"b"}, "does not list in key order"},
		"the same key twice":     {[]string{page("false", "a", "a")}, []string{"a"}, "does not list in key order"},
		"start-after ignored":    {[]string{page("true", "a", "b")}, []string{"a", "b"}, "does not list in key order"},
		"encoded out of order":   {[]string{page("false", "a%2Fb", "a+b")}, []string{"a/b"}, "does not list in key order"},
		"no key":                 {[]string{page("false", "")}, []string{}, "does not list in key order"},
		"empty but truncated":    {[]string{page("true", "a"), page("true")}, []string{"a"}, "returned a truncated empty page"},
		"a key not url-encoded":  {[]string{page("false", "a", "b%")}, []string{"a"}, "decode key"},
		"not XML":                {[]string{"<html><body>welcome to the portal</body></html>"}, []string{}, "success without IsTruncated"},
		"half a page of XML":     {[]string{page("true", "a"), page("true", "b")[:120]}, []string{"a"}, "list s3://"},
		"an error in a 200":      {[]string{page("true", "a"), errorPage}, []string{"a"}, "list s3://"},
		"an answer without body": {[]string{""}, []string{}, "success without IsTruncated"},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := list(t, newWorld(t).over(&answers{bodies: tt.pages}), listing.Range{})
			if err == nil || !strings.Contains(err.Error(), tt.text) {
				t.Errorf("got error %v, want one that contains %q", err, tt.text)
			}
			if diff := cmp.Diff(tt.want, keysOf(got)); diff != "" {
				t.Errorf("keys before the error (-want +got):\n%s", diff)
			}
		})
	}
}

const errorPage = `<Error><Code>InternalError</Code><Message>We encountered an internal error. Please try again.</Message></Error>`

func TestListDecodesKeysOnce(t *testing.T) {
	encoded := []string{"%2B", "%252B", "+", "a+b", "a%2Fb", "a/b%20c", "caf%C3%A9"}
	want := []string{"+", "%2B", " ", "a b", "a/b", "a/b c", "caf\u00e9"}
	for i, key := range encoded {
		got, err := list(t, newWorld(t).over(&answers{bodies: []string{page("false", key)}}), listing.Range{})
		if err != nil || !slices.Equal(keysOf(got), want[i:i+1]) {
			t.Errorf("%q: got %q, %v, want %q", key, keysOf(got), err, want[i])
		}
	}
}

// TestListSurvivesADeletedCursor checks a listing in which the last object of each page is deleted
// before the next page is requested.
func TestListSurvivesADeletedCursor(t *testing.T) {
	w := newWorld(t, numbered(2500)...)
	w.cloud.Inject(awsfake.Fault{Operation: "ListObjectsV2", Skip: 1, Times: 1, Do: func() { w.bucket.Delete("k00999") }})
	got, err := list(t, w.live(), listing.Range{})
	if err != nil || !slices.Equal(keysOf(got), numbered(2500)) {
		t.Errorf("got %d objects, %v, want 2500", len(got), err)
	}
}

func TestListSendsOwnerAndPayer(t *testing.T) {
	for _, tt := range []struct {
		name           string
		account, payer string
		l              func(*listing.Live)
	}{
		{"nothing", "", "", func(*listing.Live) {}},
		{"owner", owner, "", func(l *listing.Live) { l.Place.Account = owner }},
		{"payer", "", "requester", func(l *listing.Live) { l.Place.RequestPayer = true }},
	} {
		t.Run(tt.name, func(t *testing.T) {
			w := newWorld(t, numbered(1001)...)
			var queries []url.Values
			l := w.over(observer{w.cloud.RoundTripper(), func(r *http.Request) {
				queries = append(queries, r.URL.Query())
				if got := r.Header.Get("X-Amz-Expected-Bucket-Owner"); got != tt.account {
					t.Errorf("got expected owner %q, want %q", got, tt.account)
				}
				if got := r.Header.Get("X-Amz-Request-Payer"); got != tt.payer {
					t.Errorf("got request payer %q, want %q", got, tt.payer)
				}
			}})
			tt.l(&l)
			l.Place.Prefix = "k"
			if _, err := list(t, l, listing.Range{}); err != nil {
				t.Fatal(err)
			}
			of := func(after ...string) url.Values {
				v := url.Values{"list-type": {"2"}, "encoding-type": {"url"}, "max-keys": {"1000"}, "prefix": {"k"}}
				if after != nil {
					v["start-after"] = after
				}
				return v
			}
			for _, q := range queries {
				q.Del("x-id")
			}
			if diff := cmp.Diff([]url.Values{of(), of("k00999")}, queries); diff != "" {
				t.Errorf("queries (-want +got):\n%s", diff)
			}
		})
	}
}

func TestListOfAnotherOwnersBucketIsRefused(t *testing.T) {
	w := newWorld(t, "a")
	l := w.live()
	l.Place.Account = "222222222222"
	if got, err := list(t, l, listing.Range{}); awserr.Classify(err) != awserr.Denied || len(got) != 0 {
		t.Errorf("got %d objects, %v, want class %q", len(got), err, awserr.Denied)
	}
}

func TestRangeContains(t *testing.T) {
	for _, tt := range []struct {
		r    listing.Range
		key  string
		want bool
	}{
		{listing.Range{}, "a", true},
		{listing.Range{After: "a"}, "a", false},
		{listing.Range{After: "a"}, "a\x00", true},
		{listing.Range{Until: "b"}, "b", true},
		{listing.Range{Until: "b"}, "b\x00", false},
		{listing.Range{After: "b", Until: "b"}, "b", false},
	} {
		if got := tt.r.Contains(tt.key); got != tt.want {
			t.Errorf("%+v contains %q: got %v, want %v", tt.r, tt.key, got, tt.want)
		}
	}
}

// FuzzList checks that two adjacent ranges of a listing together contain each of three keys once.
func FuzzList(f *testing.F) {
	for _, key := range awkward() {
		f.Add("p/", key, "a"+key, key+"z", key)
	}
	f.Fuzz(func(t *testing.T, prefix, a, b, c, split string) {
		keys := map[string]bool{}
		for _, key := range []string{a, b, c} {
			if key = prefix + key; key != "" && len(key) <= 1024 && utf8.ValidString(key) {
				keys[key] = true
			}
		}
		if len(keys) == 0 || split == "" || !utf8.ValidString(split) {
			t.Skip("no such keys")
		}
		w := newWorld(t)
		want := []string{}
		for key := range keys {
			w.bucket.Put(key, awsfake.BytesBody(nil), awsfake.PutOptions{})
			want = append(want, key)
		}
		l := w.live()
		l.Place.Prefix = prefix
		low, errLow := list(t, l, listing.Range{Until: split})
		high, errHigh := list(t, l, listing.Range{After: split})
		if err := errors.Join(errLow, errHigh); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(sorted(want), keysOf(slices.Concat(low, high))); diff != "" {
			t.Errorf("keys (-want +got):\n%s", diff)
		}
	})
}
