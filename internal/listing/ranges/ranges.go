// Package ranges lists a bucket in several ranges of keys side by side.
//
// It guarantees that the ranges of all parts together are exactly the requested ranges, that no two
// parts overlap, and that the objects of a part are in ascending order. A part ends early only with
// an error: a failed request is never taken for the end of a range. Memory use is bounded by the
// number of parts that are listed at once.
//
// The ranges can be given, for example from a ledger. Otherwise, or if they turn out to be uneven,
// an idle lister splits the part with the most pages left. It begins to list at a key in the middle
// of what is left, so the request that looks for keys there also returns the first page of the new
// part. See [Run].
//
// A sample of the keys that were listed shows how keys differ, and how many follow a prefix. From
// this the pages that are left are estimated: see levels in level.go. Each split costs about half a
// request, or one if no key follows, so their number is bounded: see split.go. A wrong estimate
// costs time or requests, but no key is lost.
//
// The caller decides what to do with the objects.
//
// Three terms: a part is a range that one lister lists; a page is the result of one request; the
// edge of a part is the last key that was listed in it.
package ranges

import (
	"context"
	"slices"
	"sync"

	"syncd/internal/listing"
)

// Pager reads pages of a listing.
type Pager interface {
	// Page returns the first objects after a key, in ascending order, and whether more objects
	// follow. If more is true, the page has at least one object. With an error, the page has the
	// objects before the error.
	Page(ctx context.Context, after string) (page []listing.Object, more bool, err error)
}

// Options are the settings of a run.
type Options struct {
	// Ranges are the ranges of keys to list, in ascending order and without overlap. Each is a part
	// to begin with. If there are none, nothing is listed.
	Ranges []listing.Range
	// Listers is how many parts are listed at once, at least 1.
	Listers int
	// Limit limits the listers of all runs that have the same Limit; nil means no limit.
	Limit *Limit
	// Floor is the length in bytes of the prefix that all keys have.
	Floor int
	// Guard calls do and returns its error. Every goroutine that Run starts calls its code through
	// Guard, which can turn a panic into an error. A nil Guard only calls do.
	Guard func(do func() error) error
}

// Run lists the ranges in parts and calls consume for each part, in up to Options.Listers goroutines
// at once. Run returns when all calls have returned. If a call returns an error, the other parts
// are still listed and consumed; Run then returns the first error. When ctx ends, the parts end
// with its error.
func Run(ctx context.Context, pager Pager, o Options, consume func(ctx context.Context, p *Part) error) error {
	r := newRun(pager, o)
	defer r.limit.join()()
	defer context.AfterFunc(ctx, r.wake)()
	var workers sync.WaitGroup
	for range max(o.Listers, 1) {
		workers.Go(func() {
			if err := r.guard(func() error { return r.serve(ctx, consume) }); err != nil {
				r.end(nil, err) // choosing a part panicked
			}
		})
	}
	workers.Wait()
	if r.err != nil {
		return r.err
	}
	return ctx.Err()
}

// run is one call of Run.
type run struct {
	pager   Pager
	floor   int
	listers int
	limit   *Limit
	guard   func(do func() error) error

	mu        sync.Mutex
	changed   sync.Cond // a page was listed, or a part has begun or ended
	waiting   []*Part   // not begun
	open      []*Part   // begun and not ended
	alphabet  *alphabet
	samples   *samples
	pages     int  // requests that were answered
	listed    int  // objects
	page      int  // keys of the fullest page
	misses    int  // splits after which no key followed
	ended     int  // parts with objects that have ended
	isSettled bool // no part is worth a split until the next page
	err       error
}

func newRun(pager Pager, o Options) *run {
	r := &run{pager: pager, floor: o.Floor, listers: max(o.Listers, 1), limit: o.Limit, guard: o.Guard, alphabet: newAlphabet(), samples: newSamples()}
	if r.guard == nil {
		r.guard = func(do func() error) error { return do() }
	}
	r.changed.L = &r.mu
	for _, keys := range o.Ranges {
		r.waiting = append(r.waiting, newPart(r, keys, keys.Until))
	}
	return r
}

// wake makes idle listers look for work again.
func (r *run) wake() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.changed.Broadcast()
}

// next returns the part that a lister lists next, or nil if there is nothing left to do.
func (r *run) next(ctx context.Context) *Part {
	r.mu.Lock()
	defer r.mu.Unlock()
	for ctx.Err() == nil {
		p := r.take()
		switch {
		case p != nil:
			r.open = append(r.open, p)
			return p
		case len(r.open) == 0:
			return nil
		}
		r.changed.Wait()
	}
	return nil
}

// take returns a part to list: one that has not begun or, if there is none, the rest of another
// part. It returns nil if there is none, or if enough parts are being listed. The caller holds r.mu.
func (r *run) take() *Part {
	switch {
	case len(r.open) >= r.limit.of(r.listers):
		return nil
	case len(r.waiting) > 0:
		p := r.waiting[0]
		r.waiting = r.waiting[1:]
		return p
	}
	return r.split()
}

// serve lists and consumes one part after the other, until there is nothing left to do.
func (r *run) serve(ctx context.Context, consume func(context.Context, *Part) error) error {
	for p := r.next(ctx); p != nil; p = r.next(ctx) {
		r.end(p, r.guard(func() error { return r.work(ctx, p, consume) }))
	}
	return nil
}

// work lists a part and consumes it.
func (r *run) work(ctx context.Context, p *Part, consume func(context.Context, *Part) error) error {
	ctx, stop := context.WithCancel(ctx)
	var lister sync.WaitGroup
	defer lister.Wait()
	defer stop()
	lister.Go(func() { p.list(ctx) })
	return consume(ctx, p)
}

// end records that a part has ended, or that a lister ends without one.
func (r *run) end(p *Part, err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.err == nil {
		r.err = err
	}
	r.open = slices.DeleteFunc(r.open, func(other *Part) bool { return other == p })
	r.changed.Broadcast()
}
