package syncer_test

import (
	"io"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/s3"

	"syncd/internal/checkpoint/checkpointtest"
	"syncd/internal/checkpoint/record"
)

// pageFault is a way in which a page of a listing fails.
type pageFault struct {
	name string
	// answer changes the response of the service.
	answer func(page *http.Response)
	// token answers requests with the continuation token "next"; nil sends them to the service.
	token func(page *http.Response)
	want  string // in the error
}

// status makes the response an error.
func status(code int, name string) func(*http.Response) {
	return func(page *http.Response) {
		page.StatusCode, page.Status = code, strconv.Itoa(code)
		withBody(page, "<Error><Code>"+name+"</Code><Message>"+name+"</Message></Error>")
	}
}

func withBody(page *http.Response, body string) {
	page.Body, page.ContentLength = io.NopCloser(strings.NewReader(body)), int64(len(body))
	page.Header.Set("Content-Length", strconv.Itoa(len(body)))
}

// truncated makes the response a page that is truncated and has no keys.
func truncated(token string) func(*http.Response) {
	return func(page *http.Response) {
		page.StatusCode, page.Status = http.StatusOK, "200 OK"
		withBody(page, `<ListBucketResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><Name>owner-data</Name><KeyCount>0</KeyCount>`+
			`<MaxKeys>1000</MaxKeys><EncodingType>url</EncodingType><IsTruncated>true</IsTruncated>`+token+`</ListBucketResult>`)
	}
}

// half cuts the response after the first half of the page.
func half(page *http.Response) {
	body, err := io.ReadAll(page.Body)
	if err != nil {
		panic(err)
	}
	withBody(page, string(body[:len(body)/2]))
}

func pageFaults() []pageFault {
	const next = "<NextContinuationToken>next</NextContinuationToken>"
	return []pageFault{
		{name: "500", answer: status(http.StatusInternalServerError, "InternalError"), want: "InternalError"}, //nolint:bodyclose // it changes a response that the client closes
		{name: "403", answer: status(http.StatusForbidden, "AccessDenied"), want: "AccessDenied"},             //nolint:bodyclose // it changes a response that the client closes
		{name: "XML that is cut", answer: half, want: "the XML ends too early"},
		{name: "empty page", answer: truncated(""), want: "truncated empty page without a continuation token"},                   //nolint:bodyclose // it changes a response that the client closes
		{name: "token that repeats", answer: truncated(next), token: truncated(next), want: "the same continuation token again"}, //nolint:bodyclose // it changes a response that the client closes
		{name: "wrong token", answer: truncated(next), want: "The continuation token provided is incorrect"},                     //nolint:bodyclose // it changes a response that the client closes
	}
}

// breaker fails one page of a listing, also if the request is repeated. Pages are numbered in the
// order of their first requests.
type breaker struct {
	next  http.RoundTripper
	fault pageFault

	mu     sync.Mutex
	page   int            // number of the page to fail, -1 for none
	pages  map[string]int // by the key after which the page begins
	failed []string       // the key after which the failed page begins
}

// arm makes the breaker count from 0, and fail the page with a number.
func (b *breaker) arm(page int, fault pageFault) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.page, b.fault, b.pages, b.failed = page, fault, map[string]int{}, nil
}

// breaks reports whether the page after a key fails.
func (b *breaker) breaks(after string) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	n, ok := b.pages[after]
	if !ok {
		n = len(b.pages)
		b.pages[after] = n
	}
	if n == b.page && b.failed == nil {
		b.failed = []string{after}
	}
	return n == b.page
}

func (b *breaker) RoundTrip(r *http.Request) (*http.Response, error) {
	res, err := b.next.RoundTrip(r)
	query := r.URL.Query()
	switch {
	case err != nil || !query.Has("list-type") || !strings.Contains(r.URL.Path, "owner-data"):
		return res, err
	case query.Get("continuation-token") == "next" && b.fault.token != nil:
		b.fault.token(res)
	case query.Get("continuation-token") == "" && b.breaks(query.Get("start-after")):
		b.fault.answer(res)
	}
	return res, nil
}

// TestABrokenPageLeavesItsRangeOpen fails each page of a pass over 16 ranges in turn, in several
// ways: each way takes every sixth page, or every page with a large -many. It checks that only the
// keys after the last good page of its range stay open, that all other ranges are walked to their
// ends, that the error names the failure, and that the next pass copies exactly the rest.
func TestABrokenPageLeavesItsRangeOpen(t *testing.T) {
	skipIfShort(t)
	for i, fault := range pageFaults() {
		t.Run(fault.name, func(t *testing.T) {
			first, step := i%6, 6
			if *many > 1000 {
				first, step = 0, 1
			}
			checkpointtest.Bubble(t, func(t *testing.T) { breakPages(t, fault, first, step) })
		})
	}
}

func breakPages(t *testing.T, fault pageFault, page, step int) {
	t.Helper()
	const objects, perRange, pageKeys = 96, 6, 3
	w := newWorld(t)
	w.divide(perRange, pageKeys)
	w.fill(objects)
	b := &breaker{next: w.cloud.RoundTripper()}
	b.arm(-1, fault)
	w.live.Client = s3.New(w.client.Options(), func(o *s3.Options) { o.HTTPClient = &http.Client{Transport: b} })
	s := w.open(t)
	mustRun(t, s)
	var deleted []string
	for ; ; page += step {
		time.Sleep(time.Hour)
		w.source.Delete(name(page * 7 % objects))
		deleted = append(deleted, name(page*7%objects))
		w.rewrite(objects, page, func(i int) bool { return i%4 == page%4 && !slices.Contains(deleted, name(i)) })
		changed := w.due(t)
		b.arm(page, fault)
		first, err := s.Run(t.Context())
		if b.failed == nil {
			if err != nil || page < objects/pageKeys-2 {
				t.Fatalf("page %d: got %v, and the page was not requested", page, err)
			}
			return
		}
		if err == nil || !strings.Contains(err.Error(), fault.want) || !strings.Contains(err.Error(), "list s3://owner-data/") || first.Exit != 1 {
			t.Fatalf("page %d: got %v, exit %d, want an error with %q", page, err, first.Exit, fault.want)
		}
		open := w.wantOneGap(t, b)
		b.arm(-1, fault)
		second := mustRun(t, s)
		if !second.Resumed || first.Copied+second.Copied != changed || second.Listed != open {
			t.Errorf("page %d: got %d copied and then %+v, want %d copied in all and the %d objects that were open listed", page, first.Copied, second, changed, open)
		}
		w.wantSettled(t, deleted...)
		if t.Failed() {
			return
		}
	}
}

// due returns how many source objects differ from their copies.
func (w *world) due(t *testing.T) (n int64) {
	t.Helper()
	for _, key := range w.source.Keys() {
		original, _ := w.source.Object(key)
		if copied, ok := w.destination.Object(key); !ok || copied.Checksum != original.Checksum {
			n++
		}
	}
	return n
}

// wantOneGap checks that the progress record has one open range: it begins where the failed page
// begins, and ends where another range begins. It returns the number of its source objects.
func (w *world) wantOneGap(t *testing.T, b *breaker) (open int64) {
	t.Helper()
	progress, ok, err := record.Unfinished(t.Context(), w.options.Store, "m")
	gaps := progress.Settled.Gaps()
	if err != nil || !ok || len(gaps) != 1 || gaps[0].After != b.failed[0] {
		t.Fatalf("got the open ranges %q, %v, want one after %q", gaps, err, b.failed)
	}
	gap := gaps[0]
	if _, isBound := b.pages[gap.Until]; !isBound && gap.Until != "" {
		t.Errorf("got the open range %q, want it to end where another range begins", gap)
	}
	for after := range b.pages {
		if after > gap.After && gap.Contains(after) && after != gap.Until {
			t.Errorf("a page after %q was requested in the open range %q", after, gap)
		}
	}
	for _, key := range w.source.Keys() {
		if gap.Contains(key) {
			open++
		}
	}
	return open
}
