package checkpoint

import (
	"slices"
	"sync"
	"time"

	"syncd/internal/checkpoint/record"
)

// unsaved contains the part of a pass's state that is not saved yet, the times that determine when
// the next save is due, and the reason why the pass has ended.
type unsaved struct {
	number      int64 // number of the pass
	options     *Options
	fingerprint string // fingerprint of the pass's settings

	mu      sync.Mutex
	began   time.Time     // when the pass began, before any resumption
	settled record.Ranges // settled ranges, without those of walks
	walks   []*Walk       // walks whose range is not settled
	counts  record.Counts // of the settled keys
	changes changes       // rows to save
	uploads uploads
	claims  claims
	refusal *record.Refusal // written with the next progress record; nil if the pass was not refused
	moves   int64           // how often a mark moved
	saved   int64           // moves in the progress record saved last
	savedAt time.Time
	err     error         // why the pass ended or failed, nil while it runs
	moved   chan struct{} // closed when a waiting Reserve must check again whether there is room

	patience time.Duration // time from the last save until the next save is due; short at first, so that a process that is killed early still makes progress
}

// room returns how many slots of one walk may be ahead of its mark: an equal share of
// Options.Window. The caller holds p.mu.
func (p *unsaved) room() int { return max(1, p.options.Window/max(1, len(p.walks))) }

// advance moves the mark of a walk as far as possible. The caller holds p.mu.
func (p *unsaved) advance(w *Walk) {
	before := w.water.Mark()
	w.water.Advance(&p.counts)
	if w.isEnded && w.water.Len() == 0 {
		p.settled = p.settled.Add(record.Range{After: w.after, Until: w.until})
		p.walks = slices.DeleteFunc(p.walks, func(o *Walk) bool { return o == w })
	} else if w.water.Mark() == before {
		return
	}
	p.moves++
	p.wake()
}

// settledNow returns the settled keys. The caller holds p.mu.
func (p *unsaved) settledNow() record.Ranges {
	settled := p.settled
	for _, w := range p.walks {
		if mark := w.water.Mark(); mark > w.after {
			settled = settled.Add(record.Range{After: w.after, Until: mark})
		}
	}
	return settled
}

// Settled returns the keys that the pass has settled, including before it was resumed.
func (p *unsaved) Settled() record.Ranges {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.settledNow()
}

// Counts returns how many of the settled keys the pass settled in each way, including before it was
// resumed.
func (p *unsaved) Counts() record.Counts {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.counts
}

// Due reports whether the caller should call Flush: this is so if changes are unsaved, and either
// Options.FlushInterval has passed or at least Options.FlushEntries changes are waiting.
func (p *unsaved) Due() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.isDue()
}

// isDue is Due. The caller holds p.mu.
func (p *unsaved) isDue() bool {
	o := p.options
	return p.err == nil && p.isUnsaved() && (p.changes.len() >= o.FlushEntries || o.Now().Sub(p.savedAt) >= p.patience)
}

// isFull reports whether too many changes are unsaved for another key to be reserved. The caller holds
// p.mu.
func (p *unsaved) isFull() bool { return p.changes.len() >= p.options.Window }

// isUnsaved reports whether anything is unsaved. The caller holds p.mu.
func (p *unsaved) isUnsaved() bool {
	return p.changes.len() > 0 || p.moves != p.saved || p.uploads.changed()
}

// firstPatience is the time until the first save of a pass is due. It doubles with each save, up to
// Options.FlushInterval.
const firstPatience = time.Second

// state returns the state for a progress record that names the given settled keys. The caller holds
// p.mu.
func (p *unsaved) state(settled record.Ranges) (now state) {
	now.uploads, now.uploadsVersion = p.uploads.all()
	now.claims, now.claimsVersion = p.claims.all(settled, p.fingerprint), p.claims.version
	now.refusal = p.refusal
	return now
}

// isSaved records that a progress record with this state was written. The caller holds p.mu.
func (p *unsaved) isSaved(now state) {
	p.uploads.saved = max(p.uploads.saved, now.uploadsVersion)
	p.claims.saved = max(p.claims.saved, now.claimsVersion)
}

// wake wakes waiting calls of Reserve. The caller holds p.mu.
func (p *unsaved) wake() {
	if p.moved != nil {
		close(p.moved)
		p.moved = nil
	}
}

// end ends the pass. If end is called more than once, the first reason is kept. The caller holds
// p.mu.
func (p *unsaved) end(reason error) {
	if p.err == nil {
		p.err = reason
	}
	p.wake()
}

func (p *unsaved) fail(err error) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.end(err)
	return err
}

func (p *unsaved) failure() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.err
}
