//nolint:thelper // the funcs that run in bubbles are tests: failures must report their lines
package syncer_test

import (
	"bytes"
	"cmp"
	"encoding/xml"
	"flag"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"syncd/internal/awsfake"
	"syncd/internal/syncer/deletion"
)

// TestRefusedDeletes denies the deletes of one key. It checks that the other copies are deleted, that
// the pass reports the refusal, and that a later pass deletes the copy.
func TestRefusedDeletes(t *testing.T) {
	deleting(t, 4, func(t *testing.T, w *world) {
		repair := w.deny(w.destination, name(1), "s3:DeleteObject")
		w.source.Delete(name(1))
		w.source.Delete(name(2))
		w.hour(t, 0)
		if got := w.hour(t, 3); got.Deleted != 1 || got.Undeleted["refused"] != 1 {
			t.Errorf("got %+v, want one copy deleted and one refused", got)
		}
		repair()
		if got := w.hour(t, 0); got.Deleted != 1 {
			t.Errorf("got %+v, want the other copy deleted", got)
		}
		w.wantCopies(t, name(0), name(3))
	})
}

// TestKeysThatXMLCannotName deletes copies whose keys have control characters.
func TestKeysThatXMLCannotName(t *testing.T) {
	deleting(t, 1, func(t *testing.T, w *world) {
		odd := []string{"a\x01b", "a\rb", "tab\tkey", "\U0010ffff", "a<&>\"'b"}
		for _, key := range odd {
			w.put(key)
		}
		w.hour(t, 0)
		for _, key := range odd {
			w.source.Delete(key)
		}
		w.hour(t, 0)
		if got := w.hour(t, 0); got.Deleted != int64(len(odd)) {
			t.Errorf("got %+v, want %d deleted", got, len(odd))
		}
		w.wantCopies(t, name(0))
	})
}

// TestFalseAnswersToDeletes answers deletes falsely, always or once. It checks that a pass reports
// success only if the copy is gone.
func TestFalseAnswersToDeletes(t *testing.T) {
	for _, kind := range append(awsfake.Lies(), awsfake.LoseAnswer, awsfake.CutBody, awsfake.InternalError, awsfake.Throttle, awsfake.ErrorIn200, awsfake.AccessDenied) {
		for _, times := range []int{1, 0} {
			t.Run(fmt.Sprint(kind, times), func(t *testing.T) {
				deleting(t, 3, func(t *testing.T, w *world) {
					w.source.Delete(name(1))
					w.hour(t, 0)
					mend := w.cloud.Inject(awsfake.Fault{Operation: "DeleteObjects", Kind: kind, Times: times})
					p := w.start(t, "folder")
					got, err := p.run(t)
					p.finish(t)
					_, isThere := w.destination.Object(name(1))
					if err == nil && got.Exit == 0 && isThere {
						t.Errorf("got %+v, want the copy deleted", got)
					}
					mend()
					time.Sleep(time.Hour)
					w.hour(t, 0)
					w.hour(t, 0) // a pass after an unclear answer only checks the copy
					w.wantCopies(t, name(0), name(2))
					if n := len(w.destination.Markers(name(1))); n != 1 {
						t.Errorf("got %d delete markers, want 1", n)
					}
				})
			})
		}
	}
}

// TestDeletesAreFast deletes many copies, of neighbours or of keys between those of other objects, at
// 20 ms a request. It checks the rate: S3 accepts 3,500 keys a second.
func TestDeletesAreFast(t *testing.T) {
	skipIfShort(t)
	for label, every := range map[string]int{"neighbours": 1, "scattered": 2} {
		t.Run(label, func(t *testing.T) {
			bubble(t, func(t *testing.T, w *world) {
				n := *deletes
				w.options.Delete = deletion.Settings{After: 1, MaxObjects: int64(n), MaxPercent: 100}
				w.fill(n*every + 1)
				w.passes(t, "S3", "first", 0)
				for i := range n {
					w.source.Delete(name(i * every))
				}
				w.cloud.SetLatency(20 * time.Millisecond)
				var sent []time.Time
				w.cloud.Inject(awsfake.Fault{Operation: "DeleteObjects", Do: func() { sent = append(sent, time.Now()) }})
				got := w.passes(t, "S3", "second", 0)
				rate := 1000 * float64(len(sent)-1) / sent[len(sent)-1].Sub(sent[0]).Seconds()
				t.Logf("%d deletes, %.0f a second, %d listings", got.Deleted, rate, got.Requests["ListObjectsV2"])
				if got.Deleted != int64(n) || rate < 3000 || rate > 3500 {
					t.Errorf("got %+v, %.0f a second, want 3,000 to 3,500", got, rate)
				}
			})
		})
	}
}

// deletes is the number of deletes in TestDeletesAreFast.
var deletes = flag.Int("deletes", 8000, "number of deletes in TestDeletesAreFast")

// TestDeniedDeletes denies all deletes. It checks that the pass commits, tries only a few batches, and counts
// every copy.
func TestDeniedDeletes(t *testing.T) {
	skipIfShort(t)
	deleting(t, 3500, func(t *testing.T, w *world) {
		w.options.Delete = deletion.Settings{After: 1, MaxObjects: 5000, MaxPercent: 100}
		repair := w.deny(w.destination, "*", "s3:DeleteObject")
		for i := 1; i < 3500; i++ {
			w.source.Delete(name(i))
		}
		w.put("z")
		got := w.hour(t, 3)
		if got.Result != "undeleted" || got.Undeleted["refused"] != 3499 || got.Copied != 1 || got.Requests["DeleteObjects"] > 8 {
			t.Errorf("got %+v, want all deletes refused after at most 8 requests", got)
		}
		repair()
		if got := w.hour(t, 0); got.Deleted != 3499 {
			t.Errorf("got %+v, want all deleted", got)
		}
		w.wantCopies(t, name(0), "z")
	})
}

// TestBusyKeys answers that the service is too busy for single keys. It checks that they are sent again,
// and that the keys are listed again before that.
func TestBusyKeys(t *testing.T) {
	deleting(t, 5, func(t *testing.T, w *world) {
		w.source.Delete(name(1))
		w.source.Delete(name(2))
		w.hour(t, 0)
		w.network = func(next http.RoundTripper) http.RoundTripper {
			return &busyKeys{next: next, times: 2, before: func() { w.put(name(2)) }}
		}
		got := w.hour(t, 0)
		if got.Deleted != 1 || got.Undeleted["returned"] != 1 || got.Requests["DeleteObjects"] != 3 {
			t.Errorf("got %+v, want one copy deleted with the third request, and one kept", got)
		}
		w.network = nil
		w.hour(t, 0)
		w.wantCopies(t, name(0), name(2), name(3), name(4))
	})
}

// busyKeys answers a number of DeleteObjects requests with an error code for each key, SlowDown by default.
type busyKeys struct {
	next   http.RoundTripper
	times  int
	code   string
	before func()
}

func (b *busyKeys) RoundTrip(req *http.Request) (*http.Response, error) {
	if !req.URL.Query().Has("delete") || b.times == 0 {
		return b.next.RoundTrip(req)
	}
	b.times--
	b.before()
	body, err := io.ReadAll(req.Body)
	if err != nil {
		return nil, err
	}
	var sent struct {
		Object []struct{ Key string }
	}
	if err := xml.Unmarshal(body, &sent); err != nil {
		return nil, err
	}
	answer := "<DeleteResult>"
	for _, o := range sent.Object {
		answer += "<Error><Key>" + o.Key + "</Key><Code>" + cmp.Or(b.code, "SlowDown") + "</Code><Message>Try again.</Message></Error>"
	}
	answer += "</DeleteResult>"
	return &http.Response{
		StatusCode: 200, Status: "200 OK", Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1, Request: req, ContentLength: int64(len(answer)),
		Header: http.Header{"X-Amz-Request-Id": {fmt.Sprint("BUSY", b.times)}, "Date": {time.Now().UTC().Format(http.TimeFormat)}}, Body: io.NopCloser(strings.NewReader(answer)),
	}, nil
}

// carriedOut passes DeleteObjects requests on, and answers with InternalError for each key.
type carriedOut struct {
	busyKeys
}

func (c *carriedOut) RoundTrip(req *http.Request) (*http.Response, error) {
	if !req.URL.Query().Has("delete") || c.times == 0 {
		return c.next.RoundTrip(req)
	}
	body, err := io.ReadAll(req.Body)
	if err != nil {
		return nil, err
	}
	req.Body = io.NopCloser(bytes.NewReader(body))
	answer, err := c.next.RoundTrip(req)
	if err != nil {
		return nil, err
	}
	if err := answer.Body.Close(); err != nil {
		return nil, err
	}
	req.Body = io.NopCloser(bytes.NewReader(body))
	return c.busyKeys.RoundTrip(req)
}

// TestUnclearErrorsOfKeys carries deletes out, and answers that there was an internal error. It checks that the
// ledger keeps no entry of a copy that is gone, whether the object is back or deletes are turned off.
func TestUnclearErrorsOfKeys(t *testing.T) {
	for _, isBack := range []bool{false, true} {
		t.Run(fmt.Sprint("back ", isBack), func(t *testing.T) {
			deleting(t, 5, func(t *testing.T, w *world) {
				removed := w.remove(2, 3)
				w.hour(t, 0)
				w.network = func(next http.RoundTripper) http.RoundTripper {
					return &carriedOut{busyKeys{next: next, times: 5, code: "InternalError", before: func() {
						if isBack {
							w.restore(removed)
						}
					}}}
				}
				w.hour(t, 3)
				w.network = nil
				w.options.Delete = deletion.Settings{}
				w.hours(t, "folder", 2)
				w.wantEveryCopy(t, "folder")
			})
		})
	}
}

// TestReturnedObjectsBeginAgain finds an object back right before its copy is deleted. It checks that the
// passes that missed it before do not count any more.
func TestReturnedObjectsBeginAgain(t *testing.T) {
	deleting(t, 5, func(t *testing.T, w *world) {
		w.source.Delete(name(2))
		w.hour(t, 0)
		w.network = func(next http.RoundTripper) http.RoundTripper { return &recreating{next, func() { w.put(name(2)) }} }
		if got := w.hour(t, 0); got.Undeleted["returned"] != 1 {
			t.Fatalf("got %+v, want the copy kept", got)
		}
		w.network = nil
		w.source.Delete(name(2))
		if got := w.hour(t, 0); got.Deleted != 0 {
			t.Errorf("got %+v, want the copy kept", got)
		}
		if got := w.hour(t, 0); got.Deleted != 1 {
			t.Errorf("got %+v, want the copy deleted", got)
		}
	})
}

// TestNoBurstAfterAStall lets the first requests take long. It checks that the rate holds afterwards.
func TestNoBurstAfterAStall(t *testing.T) {
	skipIfShort(t)
	bubble(t, func(t *testing.T, w *world) {
		const n = 20000
		w.options.Delete = deletion.Settings{After: 1, MaxObjects: n, MaxPercent: 100}
		w.fill(n + 1)
		w.passes(t, "folder", "first", 0)
		w.remove(0, n)
		var mu sync.Mutex
		var sent []time.Time
		w.cloud.Inject(awsfake.Fault{Operation: "DeleteObjects", Do: func() {
			mu.Lock()
			sent = append(sent, time.Now())
			isFirst := len(sent) <= 8
			mu.Unlock()
			if isFirst {
				time.Sleep(30 * time.Second)
			}
		}})
		w.passes(t, "folder", "second", 0)
		for i := range sent[:len(sent)-5] {
			if took := sent[i+5].Sub(sent[i]); took < time.Second {
				t.Errorf("got 6 requests of 1,000 keys in %s, want at most 3,500 keys a second", took)
			}
		}
	})
}

// TestListingFailsBeforeDeletes lets the source hang when its keys are listed again. It checks that the pass
// ends soon, and that nothing is deleted.
func TestListingFailsBeforeDeletes(t *testing.T) {
	skipIfShort(t)
	deleting(t, 3000, func(t *testing.T, w *world) {
		w.options.Delete = deletion.Settings{After: 1, MaxObjects: 5000, MaxPercent: 100}
		w.remove(0, 2999)
		w.cloud.Inject(awsfake.Fault{Operation: "ListObjectsV2", Bucket: "owner-data", Skip: 1, Kind: awsfake.Timeout})
		began := time.Now()
		p := w.start(t, "folder")
		got, err := p.run(t)
		p.finish(t)
		if took := time.Since(began); err != nil || got.Deleted != 0 || got.Undeleted["refused"] != 2999 || took > time.Hour {
			t.Errorf("got %+v, %v after %s, want all deletes refused soon", got, err, took)
		}
	})
}
