package workers_test

import (
	"context"
	"errors"
	"runtime"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"syncd/internal/syncer/workers"
)

// TestWorkers carries out many tasks, at most eight at once. It checks that each is carried out once, and that
// there are no more goroutines than tasks in hand.
func TestWorkers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const tasks, atOnce = 1000, 8
		var done [tasks]atomic.Int64
		turns := make(chan struct{}, atOnce)
		before := runtime.NumGoroutine()
		w, _ := workers.Start(t.Context(), func(_ context.Context, i int) error {
			defer func() { <-turns }()
			time.Sleep(time.Duration(i%7) * time.Millisecond)
			done[i].Add(1)
			return nil
		})
		for i := range tasks {
			turns <- struct{}{}
			w.Give(i)
		}
		synctest.Wait()
		if n := runtime.NumGoroutine() - before; n > 2*atOnce {
			t.Errorf("got %d goroutines for %d tasks at once", n, atOnce)
		}
		if err := w.Wait(); err != nil {
			t.Error(err)
		}
		for i := range done {
			if n := done[i].Load(); n != 1 {
				t.Errorf("task %d: done %d times, want once", i, n)
			}
		}
	})
}

// TestFailure checks that the first error ends the context of the tasks and is returned, and that tasks which
// are given later are carried out.
func TestFailure(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		broken := errors.New("broken")
		var ended atomic.Int64
		w, working := workers.Start(t.Context(), func(ctx context.Context, fails bool) error {
			if fails {
				return broken
			}
			<-ctx.Done()
			ended.Add(1)
			return nil
		})
		w.Give(false)
		w.Give(true)
		synctest.Wait()
		if working.Err() == nil {
			t.Error("the context of the tasks has not ended")
		}
		w.Give(false)
		if err := w.Wait(); !errors.Is(err, broken) || ended.Load() != 2 {
			t.Errorf("got %v and %d tasks ended, want the first error and both", err, ended.Load())
		}
	})
}
