package copier_test

import (
	"context"
	"testing"

	"syncd/internal/awserr"
	"syncd/internal/awsfake"
	"syncd/internal/checkpoint"
	"syncd/internal/copier"
)

// TestIntact looks for a copy that is there, was replaced, was removed, cannot be looked at, or could never be.
func TestIntact(t *testing.T) {
	for name, tt := range map[string]struct {
		change func(*world, *checkpoint.Entry)
		want   bool
	}{
		"there": {func(*world, *checkpoint.Entry) {}, true},
		"replaced": {func(w *world, _ *checkpoint.Entry) {
			w.destination.Put("k", awsfake.BytesBody([]byte("y")), awsfake.PutOptions{})
		}, false},
		"another version": {func(_ *world, e *checkpoint.Entry) { e.DestinationVersionID += "x" }, false},
		"removed":         {func(w *world, _ *checkpoint.Entry) { w.destination.Delete("k") }, false},
		"denied": {func(w *world, _ *checkpoint.Entry) {
			w.cloud.Inject(awsfake.Fault{Operation: "HeadObject", Kind: awsfake.AccessDenied})
		}, false},
		"a key too long": {func(w *world, _ *checkpoint.Entry) { w.options.DestinationPrefix = string(make([]byte, 1100)) }, false},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			made, _ := w.mustCopy(t, w.putText("k", "x"))
			e := checkpoint.Entry{Key: "k", DestinationETag: made.DestinationETag, DestinationVersionID: made.DestinationVersionID}
			tt.change(w, &e)
			got, err := copier.New(w.options).Intact(t.Context(), e)
			if got != tt.want || err != nil {
				t.Errorf("got %v, %v, want %v", got, err, tt.want)
			}
		})
	}
}

// TestIntactEndsWhenCanceled leaves it open.
func TestIntactEndsWhenCanceled(t *testing.T) {
	w := newWorld(t)
	ctx, cancel := context.WithCancel(t.Context())
	w.cloud.Inject(awsfake.Fault{Operation: "HeadObject", Kind: awsfake.Timeout, Do: cancel})
	if _, err := copier.New(w.options).Intact(ctx, checkpoint.Entry{Key: "k"}); awserr.Classify(err) != awserr.Canceled {
		t.Errorf("got %v, want class %q", err, awserr.Canceled)
	}
}
