package copier_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"syncd/internal/awsfake"
	"syncd/internal/checkpoint/record"
	"syncd/internal/copier"
	"syncd/internal/listing"
	"syncd/internal/plan"
)

// inspect inspects a copy.
func (w *world) inspect(t *testing.T, object listing.Object, r copier.Result) []plan.Difference {
	t.Helper()
	found, hasMoved, err := copier.New(w.options).Inspect(t.Context(), object, record.Entry{
		Key: object.Key, Source: object.Version, DestinationETag: r.DestinationETag, DestinationVersionID: r.DestinationVersionID,
		KeyARN: r.KeyARN, BucketKey: r.BucketKey, Checksum: r.Checksum, CopiedAt: r.CopiedAt,
	})
	if err != nil || hasMoved {
		t.Fatalf("got moved %t, %v", hasMoved, err)
	}
	return found
}

// TestFreshCopyHasNoDifference copies objects of many kinds in every way, with many settings, and inspects the
// copies at once.
func TestFreshCopyHasNoDifference(t *testing.T) {
	settings := map[string]func(w *world){
		"plain":         func(*world) {},
		"only tags":     func(w *world) { w.options.OnlyTags = []string{"plain", "empty"} },
		"omit metadata": func(w *world) { w.options.OmitMetadata, w.options.OmitTags = true, true },
		"no bucket key": func(w *world) { w.options.BucketKey = false },
		"annotations":   func(w *world) { w.options.Annotations = true },
	}
	puts := map[string]func(o *awsfake.PutOptions){
		"rich":         func(*awsfake.PutOptions) {},
		"no checksum":  func(o *awsfake.PutOptions) { o.NoChecksum = true },
		"redirect":     func(o *awsfake.PutOptions) { o.WebsiteRedirect = "/x" },
		"long tags":    func(o *awsfake.PutOptions) { o.Tags = longTags() },
		"chunked gzip": func(o *awsfake.PutOptions) { o.Headers["Content-Encoding"] = "gzip,aws-chunked" },
		"odd expires":  func(o *awsfake.PutOptions) { o.Headers["Expires"] = "in due course" },
		"umlauts": func(o *awsfake.PutOptions) {
			o.Metadata["w"], o.Metadata["v"] = strings.Repeat("ü ö", 60), "a =?b? é"
		},
		"notes": func(o *awsfake.PutOptions) { o.Annotations = map[string]string{"note": "one"} },
	}
	for setting, change := range settings {
		for put, edit := range puts {
			for way, w := range ways(t) {
				t.Run(fmt.Sprint(setting, "/", put, "/", way), func(t *testing.T) {
					change(w)
					o := rich()
					edit(&o)
					object := w.put("dir/kü", awsfake.SyntheticBody(w.size, 1), o)
					r, _ := w.mustCopy(t, object)
					if found := w.inspect(t, object, r); len(found) > 0 {
						t.Errorf("got %+v, want no difference", found)
					}
				})
			}
		}
	}
}

// TestCompositeChecksumsAreNotCompared gives the source a checksum that depends on its parts.
func TestCompositeChecksumsAreNotCompared(t *testing.T) {
	for way, w := range ways(t) {
		t.Run(way, func(t *testing.T) {
			object := w.put("k", awsfake.SyntheticBody(w.size, 1), awsfake.PutOptions{})
			r, _ := w.mustCopy(t, object)
			w.wire.change = func(res *http.Response) {
				if res.Request.Method == http.MethodHead && strings.Contains(res.Request.URL.Path, "owner-data") {
					res.Header.Del("X-Amz-Checksum-Crc64nvme")
					res.Header.Set("X-Amz-Checksum-Sha256", "AAAA-3")
					res.Header.Set("X-Amz-Checksum-Type", "COMPOSITE")
				}
			}
			if found := w.inspect(t, object, r); len(found) > 0 {
				t.Errorf("got %+v, want no difference", found)
			}
		})
	}
}

// TestExtendedRetention extends the retention of the source after a copy was made. It checks that the shorter one of
// the copy is found, with and without a maximum, before and after it has ended.
func TestExtendedRetention(t *testing.T) {
	const day = 24 * time.Hour
	for _, longest := range []time.Duration{0, 30 * day} {
		w := newWorld(t)
		w.lockable()
		w.options.ObjectLock = true
		w.options.ObjectLockMax, w.options.BucketKey = longest, false
		lock := awsfake.Lock{Mode: awsfake.Governance, Until: time.Now().Add(10 * day).Truncate(time.Second)}
		object := w.put("k", awsfake.BytesBody([]byte("x")), awsfake.PutOptions{Lock: lock})
		r, _ := w.mustCopy(t, object)
		if found := w.inspect(t, object, r); len(found) > 0 {
			t.Errorf("maximum %s: got %+v, want no difference", longest, found)
		}
		w.wire.change = func(res *http.Response) { // the owner extends the retention
			if res.Request.Method == http.MethodHead && strings.Contains(res.Request.URL.Path, "locked-data") {
				res.Header.Set("X-Amz-Object-Lock-Retain-Until-Date", time.Now().Add(100*day).UTC().Format(time.RFC3339))
			}
		}
		for _, after := range []time.Duration{0, 15 * day} {
			w.options.Now = func() time.Time { return time.Now().Add(after) }
			if found := w.inspect(t, object, r); len(found) != 1 || found[0].Kind != plan.DiffersLock {
				t.Errorf("maximum %s, after %s: got %+v, want the lock to differ", longest, after, found)
			}
		}
	}
}

// TestLocksAreInspected inspects copies with and without the lock of their source.
func TestLocksAreInspected(t *testing.T) {
	for label, lock := range map[string]awsfake.Lock{
		"event hold": {EventHold: true, HoldDays: 30}, "legal hold": {LegalHold: true}, "retention": {Mode: awsfake.Compliance, Until: time.Now().AddDate(0, 1, 0).Truncate(time.Second)},
	} {
		for way, w := range ways(t) {
			t.Run(label+" "+way, func(t *testing.T) {
				w.lockable()
				for _, isLocked := range []bool{true, false} {
					object := w.put(fmt.Sprint(isLocked), awsfake.SyntheticBody(w.size, 1), awsfake.PutOptions{Lock: lock})
					w.options.ObjectLock = isLocked
					r, _ := w.mustCopy(t, object)
					w.options.ObjectLock = true
					if found := w.inspect(t, object, r); len(found) > 0 == isLocked {
						t.Errorf("copied with its lock %t: got %+v", isLocked, found)
					}
				}
			})
		}
	}
}
