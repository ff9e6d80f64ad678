package ranges

import (
	"cmp"
	"math"
	"slices"
	"unicode/utf8"

	"syncd/internal/listing"
	"syncd/internal/transfer"
)

const (
	// leastLeft is the number of pages that a part must have left to be split. Each split costs
	// about half a page.
	leastLeft = 16
	// leastUnbounded is the same for the last part, as long as it is not known how far the keys
	// reach.
	leastUnbounded = 8
	// perListed is the share of the listed pages that a part has left at least. A part that is longer
	// than expected probably goes on.
	perListed = 1.0 / 6
	// offsetStep is how many pages before the end of a page of the part the shifted bound is.
	offsetStep = 0.1
)

// split splits off a part for an idle lister and returns it, or nil if no split is worth a request.
// The caller holds r.mu.
func (r *run) split() *Part {
	if r.isSettled || !r.isAffordable() {
		return nil
	}
	for _, p := range r.candidates() {
		if at, ok := p.middle(); ok {
			return p.splitOff(at)
		}
	}
	r.isSettled = true
	return nil
}

// candidates returns the parts that are worth a split, those with the most keys left first. As long
// as it is not known how far the keys reach, that is only the last part.
func (r *run) candidates() (parts []*Part) {
	var total float64
	left := map[*Part]float64{}
	for _, p := range r.open {
		if p.begun && p.more {
			left[p] = p.left()
			total += left[p]
		}
	}
	least := max(leastLeft, total/float64(r.listers)*1.01)
	for _, p := range r.open {
		switch {
		case p.bound == "" && left[p] >= leastUnbounded:
			if p.asked {
				return nil
			}
			return []*Part{p}
		case left[p] >= least && !p.asked:
			parts = append(parts, p)
		}
	}
	slices.SortStableFunc(parts, func(a, b *Part) int { return cmp.Compare(left[b], left[a]) })
	return parts
}

// left estimates how many pages the part has left.
func (p *Part) left() (pages float64) {
	p.last = p.levels()
	for _, l := range p.last {
		pages += l.pages()
	}
	since := float64(p.listed-p.base) / float64(max(p.run.page, 1))
	if p.bound != "" {
		since *= perListed
	}
	return max(pages, since)
}

// middle returns the key after which the rest of the part is split off: half of the pages that are
// left are expected before it. Ok is false if there is none.
func (p *Part) middle() (at string, ok bool) {
	half := p.within(0) / 2
	for _, l := range p.last {
		if l.pages() >= half {
			at = l.prefix + string(l.pick(max(half, 0)/l.pages()))
			if p.isInside(at) {
				return at, true
			}
		}
		half -= l.pages()
	}
	return "", false
}

func (p *Part) isInside(at string) bool {
	return len(at) <= transfer.MaxKeyBytes && at > p.edge && (p.keys.Until == "" || at < p.keys.Until) && utf8.ValidString(at)
}

// splitOff ends the part at a key, and returns the rest as a new part.
func (p *Part) splitOff(at string) *Part {
	offset := p.offset - offsetStep
	if offset <= 0 {
		offset++
	}
	shifted := p.shift(at, offset)
	rest := newPart(p.run, listing.Range{After: shifted, Until: p.keys.Until}, p.bound)
	rest.from, rest.probe, rest.missed = p, at, p.missed
	if shifted != at {
		rest.offset = offset
	}
	p.base = p.listed
	p.keys.Until, p.asked = shifted, true
	return rest
}

// shift returns a key that is so many pages after at, if the branch of at is like that of the edge.
// Keys that were numbered often have a round number of keys between two bounds. Then the last page
// before the bound would be full, and another request would be needed to see that no key follows.
func (p *Part) shift(at string, pages float64) string {
	r, size := utf8.DecodeLastRuneInString(at)
	same := len(at) - size
	if len(p.edge) <= same {
		return at
	}
	own, size := utf8.DecodeRuneInString(p.edge[same:])
	if class(r) != class(own) || kindOf(r) == letter {
		return at
	}
	branch := same + size
	key := p.run.samples.after(p.edge[:branch], pages)
	if len(key) <= branch || isDigit(key, branch) && key[branch] != '0' {
		return at // the first branch often differs from the others: 01 to 09, then 10 to 19
	}
	shifted := at + key[branch:]
	if !p.isInside(shifted) || p.bound != "" && shifted >= p.bound {
		return at
	}
	return shifted
}

// answered records what the first page of the part that was split off has shown.
func (p *Part) answered(rest *Part) {
	p.asked = false
	p.bound = rest.probe
	p.missed = rest.listed == 0
	if p.missed {
		p.run.misses++
		p.run.alphabet.miss(rest.probe)
	}
}

const (
	// firstPages is how many pages are listed before the first split, so that listing a small
	// bucket costs no additional request.
	firstPages = 4
	// freeWaste and wastePerDoubling bound the requests that are sent in addition to those of a
	// single part: so many, and so many more with each doubling of the pages.
	freeWaste        = 5.5
	wastePerDoubling = 1.45
	// pagesPerProbe bounds how many parts are split at once: one more after so many pages. Later
	// splits are chosen better, because more is known about the keys.
	pagesPerProbe = 70
)

// isAffordable reports whether another part may be split off.
func (r *run) isAffordable() bool {
	return r.pages >= firstPages && r.waste() <= r.affordable() && r.probes() <= r.pages/pagesPerProbe
}

// waste returns how many requests were needed beyond those for full pages, including what the parts
// that have not ended will probably need: usually half of one for the last page of each, which also
// contains keys of the next part.
func (r *run) waste() float64 {
	ended := float64(r.pages) - r.pagesListed()
	each := (ended - float64(r.misses) + 2) / (float64(r.ended) + 4)
	return ended + float64(len(r.open)-1)*max(each, 0.5)
}

// affordable returns how much waste is accepted.
func (r *run) affordable() float64 {
	return freeWaste + wastePerDoubling*math.Log2(float64(r.pages)/firstPages)
}

// probes returns how many parts have not begun.
func (r *run) probes() (n int) {
	for _, p := range r.open {
		if !p.begun {
			n++
		}
	}
	return n
}

// pagesListed returns how many full pages the objects that were listed fill.
func (r *run) pagesListed() float64 { return float64(r.listed) / float64(max(r.page, 1)) }
