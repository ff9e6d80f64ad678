package checkpoint

import "syncd/internal/checkpoint/record"

// Reserved reports whether a key was settled before the pass was resumed, or was reserved since, or
// is in the range of a walk that has ended. Other keys are reserved later, if they exist.
func (p *unsaved) Reserved(key string) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.reserved().Contains(key)
}

// Unreserved returns the lowest key, at least after, such that the next key is not Reserved. The
// result ok is false if all keys after it are.
func (p *unsaved) Unreserved(after string) (key string, ok bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, r := range p.reserved() {
		if r.After <= after && (r.Until == "" || r.Until > after) {
			return r.Until, r.Until != "" // reserved ranges do not touch
		}
	}
	return after, true
}

// reserved returns the keys that are Reserved. The caller holds p.mu.
func (p *unsaved) reserved() record.Ranges {
	all := p.settled
	for _, w := range p.walks {
		switch {
		case w.isEnded:
			all = all.Add(record.Range{After: w.after, Until: w.until})
		case w.last > w.after:
			all = all.Add(record.Range{After: w.after, Until: w.last})
		}
	}
	return all
}

// Frontier returns the last reserved key of the lowest range of which some keys are reserved and
// others not; "" if there is none.
func (p *unsaved) Frontier() (key string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, w := range p.walks {
		if !w.isEnded && w.last > w.after && (key == "" || w.last < key) {
			key = w.last
		}
	}
	return key
}

// Stalled returns the first unsettled key of each range for which Reserve waits because too many of
// its keys are ahead of the mark.
func (p *unsaved) Stalled() (keys []string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, w := range p.walks {
		if w.isStalled && w.water.Len() > 0 {
			keys = append(keys, w.water.First())
		}
	}
	return keys
}
