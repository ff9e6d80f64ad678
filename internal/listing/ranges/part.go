package ranges

import (
	"context"
	"iter"

	"syncd/internal/listing"
)

// Part is a range that is being listed. Objects yields its objects.
type Part struct {
	run   *run
	ready chan page // the next page, which is requested while the previous page is consumed
	// unread is why the rest of the part was not listed. It is set before ready is closed.
	unread error

	// The lock of the run guards the following fields.
	keys   listing.Range
	from   *Part   // the part that this part was split from, nil if it was not split off
	probe  string  // the bound between them as it was chosen, before it was shifted
	offset float64 // by how many pages it was shifted
	begun  bool    // the first page was requested and answered
	asked  bool    // the part that was split from this part last has not begun yet
	more   bool    // keys can follow the edge
	edge   string  // the last key that was listed
	listed int     // number of objects
	base   int     // of those, before the last split
	bound  string  // no key of the part is much greater; "" if that is not known
	missed bool    // the bound was tried, and no key followed
	last   []level // the last estimate of what is left
}

// page is the objects of one request, or an error.
type page struct {
	objects []listing.Object
	err     error
}

func newPart(r *run, keys listing.Range, bound string) *Part {
	return &Part{run: r, ready: make(chan page), keys: keys, edge: keys.After, bound: bound, more: true}
}

// Range returns the range of keys of the part. While the part is being listed, Until can decrease,
// because the rest of the part is split off. After Objects has yielded the last object, the range
// does not change any more.
func (p *Part) Range() listing.Range {
	p.run.mu.Lock()
	defer p.run.mu.Unlock()
	return p.keys
}

// Objects yields the objects of the part in key order. The sequence ends after the first error.
// Call it once.
func (p *Part) Objects(ctx context.Context) iter.Seq2[listing.Object, error] {
	return func(yield func(listing.Object, error) bool) {
		for {
			select {
			case <-ctx.Done():
				yield(listing.Object{}, ctx.Err())
				return
			case page, ok := <-p.ready:
				if !ok && p.unread != nil {
					yield(listing.Object{}, p.unread)
				}
				if !ok || !page.yield(yield) {
					return
				}
			}
		}
	}
}

// yield yields the objects of a page. It reports whether the sequence continues.
func (g page) yield(yield func(listing.Object, error) bool) bool {
	for _, object := range g.objects {
		if !yield(object, nil) {
			return false
		}
	}
	if g.err != nil {
		yield(listing.Object{}, g.err)
	}
	return g.err == nil
}

// list lists the part for Objects.
func (p *Part) list(ctx context.Context) {
	defer close(p.ready)
	p.unread = p.run.guard(func() error { return p.listPages(ctx) })
}

// listPages requests the pages of the part until the part has no more keys, a request fails, or ctx
// ends. It returns ctx.Err() if a page was not handed over. The error of a request is in its page.
func (p *Part) listPages(ctx context.Context) error {
	after := p.keys.After
	for more := true; more; {
		var next page
		next.objects, more, next.err = p.run.pager.Page(ctx, after)
		if n := len(next.objects); n > 0 {
			after = next.objects[n-1].Key
		}
		received := len(next.objects)
		if next.objects, more = p.take(next, more); len(next.objects) < received {
			next.err = nil // it concerns keys after the part
		}
		select {
		case p.ready <- next:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	return nil
}

// take records a page. It returns the objects that are in the part, and whether another page
// follows.
func (p *Part) take(got page, more bool) (objects []listing.Object, _ bool) {
	r := p.run
	r.mu.Lock()
	defer r.mu.Unlock()
	defer r.changed.Broadcast()
	r.pages++
	r.page = max(r.page, len(got.objects))
	r.samples.begin(r.page)
	r.isSettled = false
	inside := len(got.objects)
	for inside > 0 && !p.keys.Contains(got.objects[inside-1].Key) {
		inside--
	}
	p.more = more && got.err == nil && inside == len(got.objects)
	p.advance(got.objects[:inside])
	if inside < len(got.objects) && p.listed > 0 {
		r.alphabet.add(p.edge, got.objects[inside].Key)
	}
	if !p.begun {
		p.begin()
	}
	if !p.more && p.listed > 0 {
		r.ended++
	}
	return got.objects[:inside], p.more
}

// advance moves the edge past objects, and adds a sample of them to those of the run. The caller
// holds the lock of the run.
func (p *Part) advance(objects []listing.Object) {
	if len(objects) == 0 {
		return
	}
	r := p.run
	var keys []string
	previous := ""
	for i := 0; i < len(objects); i += r.samples.every {
		key := objects[i].Key
		r.alphabet.add(previous, key)
		keys, previous = append(keys, key), key
	}
	r.samples.add(keys)
	p.edge = objects[len(objects)-1].Key
	p.listed += len(objects)
	r.listed += len(objects)
}

// begin tells the part that this part was split from what the first page has shown. The caller
// holds the lock of the run.
func (p *Part) begin() {
	p.begun = true
	if p.from != nil {
		p.from.answered(p)
	}
}
