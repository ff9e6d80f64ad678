package ranges

import (
	"context"
	"math/rand/v2"
	"slices"
)

// InRounds lists a bucket as Run does, but without goroutines: in each round every lister requests
// one page, in random order. It returns the number of rounds, requests and objects.
func InRounds(pager Pager, o Options, random *rand.Rand) (rounds, requests, objects int, err error) {
	r := newRun(pager, o)
	for r.occupy(); len(r.open) > 0; r.occupy() {
		rounds++
		order := slices.Clone(r.open)
		random.Shuffle(len(order), func(i, j int) { order[i], order[j] = order[j], order[i] })
		for _, p := range order {
			after := p.edge
			if !p.begun {
				after = p.keys.After
			}
			var next page
			var more bool
			next.objects, more, next.err = pager.Page(context.Background(), after)
			if next.err != nil {
				return rounds, requests, objects, next.err
			}
			requests++
			got, _ := p.take(next, more)
			objects += len(got)
		}
		r.open = slices.DeleteFunc(r.open, func(p *Part) bool { return !p.more })
	}
	return rounds, requests, objects, nil
}

// occupy gives the idle listers parts to list.
func (r *run) occupy() {
	for len(r.open) < r.listers {
		p := r.take()
		if p == nil {
			return
		}
		r.open = append(r.open, p)
	}
}
