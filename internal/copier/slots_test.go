package copier_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"golang.org/x/sync/errgroup"

	"syncd/internal/awserr"
	"syncd/internal/awsfake"
	"syncd/internal/copier"
	"syncd/internal/listing"
)

// TestCopiesShareTheirSlots checks that the number of requests in flight reaches but never exceeds
// the number of slots while large and small objects are copied in parallel.
func TestCopiesShareTheirSlots(t *testing.T) {
	const most = 3
	synctest.Test(t, func(t *testing.T) {
		w := newParted(t)
		w.options.Slots = slots(most)
		w.cloud.SetLatency(10 * time.Millisecond)
		var copies errgroup.Group
		for i := range 8 {
			large := w.put(fmt.Sprintf("large%d", i), awsfake.SyntheticBody(17*mib, uint64(i)), awsfake.PutOptions{})
			small := w.putText(fmt.Sprintf("small%d", i), "x")
			w.putText(small.Key, "overwritten since")
			for _, object := range []listing.Object{large, small} {
				copies.Go(func() error {
					_, _, err := copier.New(w.options).Copy(context.WithoutCancel(t.Context()), object, copier.Target{}, nil)
					return err
				})
			}
		}
		if err := copies.Wait(); err != nil {
			t.Error(err)
		}
		if w.wire.worst != most {
			t.Errorf("got %d requests in flight at once, want %d", w.wire.worst, most)
		}
	})
}

// TestCanceledWaitForASlot checks that a copy that is canceled while it waits for a slot sends no
// request.
func TestCanceledWaitForASlot(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.options.Slots = slots(1)
		object := w.putText("k", "x")
		if err := w.options.Slots.Acquire(t.Context()); err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		var waiting sync.WaitGroup
		waiting.Go(func() {
			_, _, err := copier.New(w.options).Copy(ctx, object, copier.Target{}, nil)
			if awserr.Classify(err) != awserr.Canceled || !errors.Is(err, context.Canceled) {
				t.Errorf("got %v, want class %q", err, awserr.Canceled)
			}
		})
		synctest.Wait()
		cancel()
		waiting.Wait()
		if n := len(w.cloud.Requests()); n != 0 {
			t.Errorf("got %d kinds of requests without a slot, want none", n)
		}
	})
}
