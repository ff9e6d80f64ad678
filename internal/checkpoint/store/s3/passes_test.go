package s3_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/sync/errgroup"

	"syncd/internal/checkpoint"
	"syncd/internal/checkpoint/checkpointtest"
	"syncd/internal/checkpoint/store"
	s3store "syncd/internal/checkpoint/store/s3"
	"syncd/internal/checkpoint/store/s3/s3test"
)

// TestPassesAtOnce runs passes of a store at the same time, with several open chunks each. It checks
// that every pass ends with the right entries. It also fails if passes wait for each other, because
// the bubble would then be blocked.
func TestPassesAtOnce(t *testing.T) {
	const passes, entries = 5, 1200
	s3test.LedgerBubble(t, func(t *testing.T) { //nolint:thelper // it is the test
		s := s3test.New()
		for i := range passes {
			fillLedger(t, s.Store(nil), i, entries)
		}
		store := s3store.New(s.Client(nil, 1), s.Options())
		// Prepare the store before the passes begin. The preparation holds a mutex during requests,
		// and no time passes in a bubble while a goroutine waits for a mutex.
		if ledger, err := ledgerOf(t.Context(), store, 0); err != nil || ledger.Close() != nil {
			t.Fatal(err)
		}
		s.Cloud.SetLatency(20 * time.Millisecond)
		group, ctx := errgroup.WithContext(t.Context())
		for i := range passes {
			group.Go(func() error { return changeSome(ctx, store, i, entries, func(int) {}) })
		}
		if err := group.Wait(); err != nil {
			t.Fatal(err)
		}
		for i := range passes {
			wantChanged(t, store, i, entries)
		}
	})
}

// wantChanged compares a ledger with what changeSome wrote.
func wantChanged(t *testing.T, store store.Store, i, entries int) {
	t.Helper()
	n := 0
	for got, err := range checkpoint.Entries(t.Context(), store, mappingOf(i)) {
		if err != nil {
			t.Fatal(err)
		}
		want := bigEntry(bigKey(n), seedOf(i, n))
		if want.Pass = 1; n%changedOfEvery == 0 {
			want = bigEntry(bigKey(n), uint64(n)) //nolint:gosec // not negative
			want.Pass = 2
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Fatalf("ledger %d (-want +got):\n%s", i, diff)
		}
		n++
	}
	if n != entries {
		t.Errorf("ledger %d: got %d entries, want %d", i, n, entries)
	}
}

// TestLargeWritesWait writes more large records at once than allowed. It checks that the excess
// writes wait, that small records do not wait, and that a writer that gives up leaves the queue.
func TestLargeWritesWait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := s3test.New()
		store := s.Store(nil)
		begun, leave := make(chan struct{}, 2*s3store.LargeWrites), make(chan struct{})
		write := func(ctx context.Context, i int) error {
			return store.Create(ctx, fmt.Sprintf("alpha/large-%d", i), func(w io.Writer) error {
				_, err := w.Write(make([]byte, 2<<20))
				if err == nil {
					begun <- struct{}{}
					<-leave
				}
				return err
			})
		}
		var all sync.WaitGroup
		errs := make([]error, s3store.LargeWrites+3)
		for i := range errs {
			all.Go(func() { errs[i] = write(t.Context(), i) })
		}
		synctest.Wait()
		if n := len(begun); n != s3store.LargeWrites {
			t.Errorf("got %d large records in progress, want %d", n, s3store.LargeWrites)
		}
		if err := checkpointtest.Put(t.Context(), store, "alpha/small", "x"); err != nil {
			t.Errorf("small record: %v", err)
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if err := write(ctx, len(errs)); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("got %v from a writer that gives up, want %v", err, context.DeadlineExceeded)
		}
		close(leave)
		all.Wait()
		if err := errors.Join(errs...); err != nil {
			t.Error(err)
		}
	})
}
