package checkpoint

import (
	"fmt"

	"syncd/internal/checkpoint/record"
	"syncd/internal/checkpoint/watermark"
)

// Slot is one reserved key, to be settled exactly once by Carry, Record, Quarantine, Hold or Drop,
// from any goroutine; that also forgets the upload that it has begun. Settling a slot of a pass
// that has ended or failed does nothing. Settling it twice, or with another key, is a bug that
// fails the pass: the ledger would not be true any more.
type Slot struct {
	key    watermark.Key
	pass   *saving
	before *record.Entry // what this pass had recorded before it was interrupted, above the mark; nil: nothing
	upload string        // id of the upload that it has begun, or else was offered
}

// Carry leaves the previous generation's entry as it is: the object is unchanged, or gone from the
// source and kept at the destination.
func (s *Slot) Carry(e record.Entry) { s.pass.settle(s, watermark.Carried, e.Key, nil, nil) }

// Record puts e into the ledger in place of what was there. The caller vouches that the destination
// answered success and named the key. Entry.Pass is set.
func (s *Slot) Record(e record.Entry) {
	e.Pass = s.pass.number
	s.pass.settle(s, watermark.Recorded, e.Key, &e, nil)
}

// Quarantine sets the object aside. The previous entry, when there was one, stays, because the
// destination still holds that version; nil says there was none. Attempts counts those of this pass
// and is at least 1; the ledger adds those of the previous generation when it set aside the same
// source version, and takes FirstAt over from it. Quarantined.Pass is set.
func (s *Slot) Quarantine(q record.Quarantined, previous *record.Entry) {
	q.Pass = s.pass.number
	q.Attempts = max(q.Attempts, 1)
	if q.FirstAt.IsZero() {
		q.FirstAt = q.LastAt
	}
	s.pass.settle(s, asideWith(previous), q.Key, nil, &q)
}

// Hold leaves what the previous generation set aside under the key as it is, but for WrittenSince,
// for a later pass to try again: the object was not tried. The previous entry stays as with
// Quarantine. To hold what was not set aside, or another source version, is a bug that the next
// save fails with.
func (s *Slot) Hold(q record.Quarantined, previous *record.Entry) {
	s.key.Held = true
	s.pass.settle(s, asideWith(previous), q.Key, nil, &q)
}

// asideWith is how a slot is settled that sets its object aside.
func asideWith(previous *record.Entry) watermark.Settlement {
	if previous == nil {
		return watermark.AsideWithout
	}
	return watermark.AsideWithEntry
}

// Drop leaves the key without an entry: a filter skipped it and it was never copied, or it was
// deleted at the destination.
func (s *Slot) Drop() { s.pass.settle(s, watermark.Dropped, s.key.Name, nil, nil) }

func (p *unsaved) settle(s *Slot, how watermark.Settlement, key string, e *record.Entry, q *record.Quarantined) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.err != nil {
		return
	}
	if problem := s.misuse(how, key); problem != "" {
		p.end(fmt.Errorf("BUG: settle key %q: %s", s.key.Name, problem))
		return
	}
	s.key.How, s.key.Entry, s.key.Quarantined = how, e, q
	if s.before != nil && how == watermark.Carried {
		s.key.How, s.key.Entry = watermark.Recorded, s.before // the base does not have it
	}
	if s.before != nil && how == watermark.AsideWithEntry {
		s.key.Entry = s.before
	}
	p.uploads.forget(p.uploads.begun, s.upload)
	if s.key.Held {
		p.uploads.hold(q)
	}
	before := p.water.Len()
	p.water.Advance(&s.key)
	if before >= p.options.Window && p.water.Len() < before {
		p.wake()
	}
}

// misuse says why the slot may not be settled so, "" when it may.
func (s *Slot) misuse(how watermark.Settlement, key string) string {
	switch {
	case s.key.How != watermark.Unsettled:
		return "settled twice"
	case key != s.key.Name:
		return fmt.Sprintf("the slot is not that of key %q", key)
	case (how == watermark.Carried || how == watermark.AsideWithEntry) && !s.key.InBase && s.before == nil:
		return "the previous generation has no entry to keep"
	}
	return ""
}
