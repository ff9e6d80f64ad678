package ahead_test

import (
	"context"
	"errors"
	"iter"
	"testing"
	"testing/synctest"

	"syncd/internal/syncer/ahead"
)

// TestRead checks that all elements are yielded in order, followed by the error, and that no
// more are read ahead than allowed.
func TestRead(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const allowed, all = 1000, 5000
		read, broken := 0, errors.New("broken")
		open := func(context.Context) iter.Seq2[int, error] {
			return func(yield func(int, error) bool) {
				for read = range all {
					if !yield(read, nil) {
						return
					}
				}
				yield(0, broken)
			}
		}
		taken, most := 0, 0
		var failed error
		for n, err := range ahead.Read(t.Context(), open, func() int { return allowed }, call) {
			if failed = err; err != nil {
				break
			}
			if n != taken {
				t.Fatalf("got %d, want %d", n, taken)
			}
			taken++
			if n%100 == 0 {
				synctest.Wait() // wait until Read has read as far as allowed
				most = max(most, read-n)
			}
		}
		if taken != all || !errors.Is(failed, broken) {
			t.Errorf("got %d elements and %v, want %d and then the error", taken, failed, all)
		}
		if most < allowed/2 || most > allowed {
			t.Errorf("got up to %d elements read ahead, want at least half of %d, and no more", most, allowed)
		}
	})
}

// TestPanics checks that the elements before a panic are yielded, and then the error of the guard.
func TestPanics(t *testing.T) {
	broken := errors.New("broken")
	open := func(context.Context) iter.Seq2[int, error] {
		return func(yield func(int, error) bool) {
			yield(1, nil)
			panic("boom")
		}
	}
	guard := func(do func() error) (err error) {
		defer func() {
			if recover() != nil {
				err = broken
			}
		}()
		return do()
	}
	var taken []int
	var failed error
	for n, err := range ahead.Read(t.Context(), open, func() int { return 10 }, guard) {
		if failed = err; err == nil {
			taken = append(taken, n)
		}
	}
	if len(taken) != 1 || !errors.Is(failed, broken) {
		t.Errorf("got %v and %v, want one element and then the error", taken, failed)
	}
}

func call(do func() error) error { return do() }
