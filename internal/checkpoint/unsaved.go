package checkpoint

import (
	"sync"
	"time"

	"syncd/internal/checkpoint/record"
	"syncd/internal/checkpoint/watermark"
)

// unsaved contains the part of a pass's state that is not saved yet, the times that determine when
// the next save is due, and the reason why the pass has ended.
type unsaved struct {
	number      int64 // number of the pass
	options     *Options
	fingerprint string // fingerprint of the pass's settings

	mu        sync.Mutex
	water     watermark.Watermark
	uploads   uploads
	claims    claims
	refusal   *record.Refusal // written with the next progress record; nil if the pass was not refused
	savedMark string          // mark of the progress record saved last
	savedAt   time.Time
	err       error         // why the pass ended or failed, nil while it runs
	moved     chan struct{} // closed when a waiting Reserve must check again whether there is room

	savedAheadAt time.Time     // when keys above the mark were saved last
	patience     time.Duration // time from the last save until the next save is due; short at first, so that a process that is killed early still makes progress
}

// LowWater returns the last key at or below which every key is settled.
func (p *unsaved) LowWater() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.water.Mark()
}

// Counts returns how many keys up to the low-water mark the pass settled in each way, including
// before it was resumed.
func (p *unsaved) Counts() record.Counts {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.water.Counts()
}

// Due reports whether the caller should call Flush: this is so if changes are unsaved, and either
// Options.FlushInterval has passed or at least Options.FlushEntries changes are waiting.
func (p *unsaved) Due() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	o := p.options
	return p.err == nil && p.isUnsaved() &&
		(p.water.Waiting() >= o.FlushEntries || o.Now().Sub(p.savedAt) >= p.patience || p.isAheadDue())
}

// isAheadDue reports whether keys settled above the mark are due to be saved. Usually the mark
// passes such keys before they are due. The caller holds p.mu.
func (p *unsaved) isAheadDue() bool {
	return p.water.Unsaved() > 0 && p.options.Now().Sub(p.savedAheadAt) >= p.patience
}

// isUnsaved reports whether anything is unsaved. The caller holds p.mu.
func (p *unsaved) isUnsaved() bool {
	return p.water.Waiting() > 0 || p.water.Unsaved() > 0 || p.water.Mark() != p.savedMark || p.uploads.changed()
}

// firstPatience is the time until the first save of a pass is due. It doubles with each save, up to
// Options.FlushInterval.
const firstPatience = time.Second

// state is the part of a progress record that is not in its ranges.
type state struct {
	uploads []record.Upload
	version int64 // version of the uploads
	claims  []record.Claim
	refusal *record.Refusal
}

// state returns the state for a progress record with that mark. The caller holds p.mu.
func (p *unsaved) state(mark string) (now state) {
	now.uploads, now.version = p.uploads.all()
	now.claims, now.refusal = p.claims.all(mark, p.fingerprint), p.refusal
	return now
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
