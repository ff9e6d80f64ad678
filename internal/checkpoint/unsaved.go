package checkpoint

import (
	"sync"
	"time"

	"syncd/internal/checkpoint/record"
	"syncd/internal/checkpoint/watermark"
)

// unsaved is what a pass holds until it is saved, when that is due, and why the pass has ended.
type unsaved struct {
	number      int64 // of the pass
	options     *Options
	fingerprint string // of its settings

	mu        sync.Mutex
	water     watermark.Watermark
	uploads   uploads
	claims    claims
	refusal   *record.Refusal // that the next record has
	savedMark string          // mark of the progress record saved last
	savedAt   time.Time
	err       error         // why the pass ended or failed, nil while it runs
	moved     chan struct{} // closed when a waiting Reserve should look again

	savedAheadAt time.Time     // when what is above the mark was saved last
	patience     time.Duration // until a save is due again: short at first, so that a process that is killed soon gets ahead
}

// LowWater returns the last key at or below which every key is settled by now.
func (p *unsaved) LowWater() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.water.Mark()
}

// Counts returns how the keys up to the low-water mark were settled, over all resumptions of the
// pass.
func (p *unsaved) Counts() record.Counts {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.water.Counts()
}

// Due reports whether a Flush is worth while: there is something new to save, uploads among it, and
// Options.FlushInterval has gone by, or Options.FlushEntries changes wait.
func (p *unsaved) Due() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	o := p.options
	return p.err == nil && p.isUnsaved() &&
		(p.water.Waiting() >= o.FlushEntries || o.Now().Sub(p.savedAt) >= p.patience || p.isAheadDue())
}

// isAheadDue reports whether what is settled above the mark is due to be saved. Most of it the mark
// passes before it is. The caller holds p.mu.
func (p *unsaved) isAheadDue() bool {
	return p.water.Unsaved() > 0 && p.options.Now().Sub(p.savedAheadAt) >= p.patience
}

// isUnsaved reports whether there is something to save. The caller holds p.mu.
func (p *unsaved) isUnsaved() bool {
	return p.water.Waiting() > 0 || p.water.Unsaved() > 0 || p.water.Mark() != p.savedMark || p.uploads.changed()
}

// firstPatience is how long after its beginning a pass is due to be saved for the first time; it
// doubles with each save up to Options.FlushInterval.
const firstPatience = time.Second

// state is what a progress record says beside its ranges.
type state struct {
	uploads []record.Upload
	version int64 // of the uploads
	claims  []record.Claim
	refusal *record.Refusal
}

// state returns it for a record of that mark. The caller holds p.mu.
func (p *unsaved) state(mark string) (now state) {
	now.uploads, now.version = p.uploads.all()
	now.claims, now.refusal = p.claims.all(mark, p.fingerprint), p.refusal
	return now
}

// wake lets waiting Reserves look again. The caller holds p.mu.
func (p *unsaved) wake() {
	if p.moved != nil {
		close(p.moved)
		p.moved = nil
	}
}

// end keeps the first reason why the pass has ended. The caller holds p.mu.
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
