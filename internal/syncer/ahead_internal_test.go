package syncer

import (
	"context"
	"errors"
	"iter"
	"testing"
	"testing/synctest"
)

// TestReadAhead checks that all elements are yielded in order, followed by the error, and that no
// more are read ahead than allowed.
func TestReadAhead(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const ahead, all = 1000, 5000
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
		for n, err := range readAhead(t.Context(), open, ahead) {
			if failed = err; err != nil {
				break
			}
			if n != taken {
				t.Fatalf("got %d, want %d", n, taken)
			}
			taken++
			if n%100 == 0 {
				synctest.Wait() // wait until readAhead has read as far as allowed
				most = max(most, read-n)
			}
		}
		if taken != all || !errors.Is(failed, broken) {
			t.Errorf("got %d elements and %v, want %d and then the error", taken, failed, all)
		}
		if most < ahead/2 || most > ahead {
			t.Errorf("got up to %d elements read ahead, want at least half of %d, and no more", most, ahead)
		}
	})
}
