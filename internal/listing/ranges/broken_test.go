package ranges_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"testing/synctest"

	"syncd/internal/listing"
	"syncd/internal/listing/ranges"
)

// TestAnEndedRunIsNotTheEndOfAPart ends the context of a run while its consumers still read. It
// checks that each part whose rest was not listed ends with an error, also if the consumer reads
// with a context of its own.
func TestAnEndedRunIsNotTheEndOfAPart(t *testing.T) {
	for range 50 {
		synctest.Test(t, func(t *testing.T) {
			ctx, stop := context.WithCancel(t.Context())
			b := &bucket{keys: distributions()[0].keys(20_000), fail: func(request int) error {
				if request == 5 {
					stop()
				}
				return nil
			}}
			o := ranges.Options{Listers: 4, Ranges: divided([]string{"0000005000", "0000010000"})}
			err := ranges.Run(ctx, b, o, func(ctx context.Context, p *ranges.Part) error {
				n := 0
				for _, err := range p.Objects(context.WithoutCancel(ctx)) {
					if err != nil {
						return err
					}
					n++
				}
				t.Errorf("part %+v ended without an error after %d objects", p.Range(), n)
				return nil
			})
			if !errors.Is(err, context.Canceled) {
				t.Errorf("got %v, want %v", err, context.Canceled)
			}
		})
	}
}

// panicking is a Pager that panics at one request.
type panicking struct {
	*bucket
	at int
}

func (p panicking) Page(ctx context.Context, after string) ([]listing.Object, bool, error) {
	page, more, err := p.bucket.Page(ctx, after)
	p.mu.Lock()
	isNow := p.requests == p.at
	p.mu.Unlock()
	if isNow {
		panic("boom")
	}
	return page, more, err
}

// TestAPanicEndsItsPart checks that a panic during a request becomes the error of its part, and
// that the other parts are listed to their ends.
func TestAPanicEndsItsPart(t *testing.T) {
	errPanic := errors.New("panicked")
	for at := 1; at <= 9; at++ {
		synctest.Test(t, func(t *testing.T) {
			b := panicking{&bucket{keys: distributions()[0].keys(9000)}, at}
			ended := 0
			err := ranges.Run(t.Context(), b, ranges.Options{
				Listers: 1, Ranges: divided([]string{"0000003000", "0000006000"}),
				Guard: func(do func() error) (err error) {
					defer func() {
						if value := recover(); value != nil {
							err = fmt.Errorf("%w: %v", errPanic, value)
						}
					}()
					return do()
				},
			}, func(ctx context.Context, p *ranges.Part) error {
				for _, err := range p.Objects(ctx) {
					if err != nil {
						return err
					}
				}
				ended++
				return nil
			})
			if !errors.Is(err, errPanic) || ended != 2 {
				t.Errorf("request %d: got %v and %d parts to their ends, want the panic and 2", at, err, ended)
			}
		})
	}
}

// TestLimit runs two listings that share a limit of six listers, one of which begins later. It checks
// that each has at most its share while both run.
func TestLimit(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		limit := ranges.NewLimit(6)
		bounds := []string{"0000010000", "0000020000", "0000030000", "0000040000", "0000050000"}
		var most [2]int
		var both sync.WaitGroup
		for i := range most {
			both.Go(func() {
				keys := distributions()[0].keys(60_000 * (3 - 2*i)) // so that the first outlives the second
				var mu sync.Mutex
				open := 0
				err := ranges.Run(t.Context(), &bucket{keys: keys}, ranges.Options{Listers: 5, Limit: limit, Ranges: divided(bounds)}, func(ctx context.Context, p *ranges.Part) error {
					mu.Lock()
					open++
					most[i] = max(most[i], open)
					mu.Unlock()
					defer func() { mu.Lock(); open--; mu.Unlock() }()
					for _, err := range p.Objects(ctx) {
						if err != nil {
							return err
						}
					}
					return nil
				})
				if err != nil {
					t.Error(err)
				}
			})
			synctest.Wait() // the first begins alone
		}
		both.Wait()
		if most != [2]int{5, 3} {
			t.Errorf("got up to %v parts at once, want 5 of the first, which begins alone, and 3 of the second", most)
		}
	})
}
