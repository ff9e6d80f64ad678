package copier_test

import (
	"context"
	"testing"
	"time"

	"syncd/internal/awserr"
	"syncd/internal/awsfake"
	"syncd/internal/checkpoint/record"
	"syncd/internal/copier"
)

// entryOf returns the ledger's entry for a copy.
func entryOf(r copier.Result) record.Entry {
	return record.Entry{
		Key: r.Object.Key, Source: r.Object.Version, DestinationETag: r.DestinationETag, DestinationVersionID: r.DestinationVersionID, KeyARN: r.KeyARN,
	}
}

// asListed returns what a listing of the destination shows for the key k.
func (w *world) asListed() copier.Target {
	object, ok := w.destination.Object("k")
	if !ok {
		return copier.Target{Looked: true}
	}
	l := listed(object)
	return copier.Target{Looked: true, Present: &l}
}

// TestProved checks Proved, with a HEAD request and with a listing, for a copy that exists, was
// replaced, was removed, cannot be checked, or cannot exist.
func TestProved(t *testing.T) {
	for name, tt := range map[string]struct {
		change         func(*world, *record.Entry)
		listed, looked bool // whether the copy is proved by a listing, and by a HEAD request
	}{
		"there": {func(*world, *record.Entry) {}, true, true},
		"replaced": {func(w *world, _ *record.Entry) {
			w.destination.Put("k", awsfake.BytesBody([]byte("x")), awsfake.PutOptions{})
		}, false, false},
		"another version": {func(_ *world, e *record.Entry) { e.DestinationVersionID += "x" }, true, false},
		"removed":         {func(w *world, _ *record.Entry) { w.destination.Delete("k") }, false, false},
		"denied": {func(w *world, _ *record.Entry) {
			w.cloud.Inject(awsfake.Fault{Operation: "HeadObject", Kind: awsfake.AccessDenied})
		}, true, false},
		"a key too long":         {func(w *world, _ *record.Entry) { w.options.DestinationPlace.Prefix = string(make([]byte, 1100)) }, false, false},
		"another key configured": {func(w *world, _ *record.Entry) { w.options.KeyARN += "x" }, true, false},
		"another class":          {func(w *world, _ *record.Entry) { w.options.StorageClass = "STANDARD_IA" }, false, false},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			made, _ := w.mustCopy(t, w.putText("k", "x"))
			e := entryOf(made)
			tt.change(w, &e)
			c := copier.New(w.options)
			for how, prove := range map[string]struct {
				target   copier.Target
				otherKey bool
				want     bool
				requests int64
			}{
				"by a HEAD":                             {copier.Target{}, true, tt.looked, 1},
				"listed":                                {w.asListed(), false, tt.listed, 0},
				"listed, and perhaps under another key": {w.asListed(), true, tt.listed && tt.looked, 1},
			} {
				w.cloud.ResetRequests()
				got, err := c.Proved(t.Context(), e, prove.target, prove.otherKey)
				if got != prove.want || err != nil {
					t.Errorf("%s: got %v, %v, want %v", how, got, err, prove.want)
				}
				if n := w.cloud.Requests()["HeadObject"]; n > prove.requests {
					t.Errorf("%s: got %d requests, want at most %d", how, n, prove.requests)
				}
			}
		})
	}
}

// TestProvedEndsWhenCanceled checks that Proved returns an error if its context is canceled.
func TestProvedEndsWhenCanceled(t *testing.T) {
	w := newWorld(t)
	ctx, cancel := context.WithCancel(t.Context())
	w.cloud.Inject(awsfake.Fault{Operation: "HeadObject", Kind: awsfake.Timeout, Do: cancel})
	if _, err := copier.New(w.options).Proved(ctx, record.Entry{Key: "k"}, copier.Target{}, true); awserr.Classify(err) != awserr.Canceled {
		t.Errorf("got %v, want class %q", err, awserr.Canceled)
	}
}

// TestLeftOf checks what LeftOf returns for different objects at the destination after the source
// object was deleted.
func TestLeftOf(t *testing.T) {
	for name, tt := range map[string]struct {
		change func(w *world, target *copier.Target)
		intact bool
		ours   bool
	}{
		"its copy":                {func(*world, *copier.Target) {}, true, false},
		"nothing":                 {func(w *world, _ *copier.Target) { w.destination.Delete("k") }, false, false},
		"a copy that was lost":    {func(_ *world, t *copier.Target) { t.Known, t.OursSince = "", time.Now() }, false, true},
		"what others put there":   {func(_ *world, t *copier.Target) { t.Known = `"e"` }, false, false},
		"what is older than ours": {func(_ *world, t *copier.Target) { t.Known, t.OursSince = "", time.Now().Add(time.Hour) }, false, false},
		"what is under another key": {func(w *world, t *copier.Target) {
			t.Known, t.OursSince = "", time.Now().Add(-time.Hour)
			w.destination.Put("k", awsfake.BytesBody([]byte("x")), awsfake.PutOptions{})
		}, false, false},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			made, copied := w.mustCopy(t, w.putText("k", "x"))
			target := copier.Target{Known: made.DestinationETag}
			tt.change(w, &target)
			got, err := copier.New(w.options).LeftOf(t.Context(), "k", target)
			if err != nil || got.Intact != tt.intact || (got.Entry != nil) != (tt.ours || tt.intact) {
				t.Fatalf("got %+v, %v, want intact %v, ours %v", got, err, tt.intact, tt.ours)
			}
			if e := got.Entry; e != nil && (e.Key != "k" || e.DestinationETag != `"`+copied.ETag+`"` || e.KeyARN != w.key.ARN() || !e.Source.LastModified.IsZero()) {
				t.Errorf("got %+v, want the object, with an unknown source", e)
			}
		})
	}
}
