package checkpoint

import (
	"fmt"

	"syncd/internal/checkpoint/record"
	"syncd/internal/checkpoint/watermark"
)

// Slot is one reserved key. Settle it exactly once with Carry, Record, Quarantine, Hold or Drop,
// from any goroutine. Settling a slot also removes the record of its upload. If the pass has ended
// or failed, settling does nothing. Settling a slot twice, or with another key, is a bug and fails
// the pass, because the ledger would be wrong.
type Slot struct {
	key    watermark.Key
	walk   *Walk
	pass   *saving
	rows   record.Rows // rows that the ledger has for the key
	upload string      // id of the upload that the slot began or was offered
}

// Gone states that the source did not list the key. Call it before the slot is settled.
func (s *Slot) Gone() { s.key.Gone = true }

// Carry keeps the ledger's entry, except for its Missed and MissedIn, which are set to those of e. Use
// it if the object is unchanged, or was deleted at the source and is kept at the destination.
func (s *Slot) Carry(e record.Entry) { s.pass.settle(s, watermark.Carried, e.Key, &e, nil) }

// Record writes e to the ledger in place of the previous entry. The caller guarantees that the
// destination reported success and returned the KMS key. Record sets Entry.Pass.
func (s *Slot) Record(e record.Entry) {
	e.Pass = s.pass.number
	s.pass.settle(s, watermark.Recorded, e.Key, &e, nil)
}

// Quarantine sets the object aside. Pass the previous entry if there is one: it stays in the
// ledger, because the destination still has that version. Attempts counts the attempts of this pass
// and is at least 1. If the previous generation quarantined the same source version, the ledger
// adds its attempts and keeps its FirstAt. Quarantine sets Quarantined.Pass.
func (s *Slot) Quarantine(q record.Quarantined, previous *record.Entry) {
	q.Pass = s.pass.number
	q.Attempts = max(q.Attempts, 1)
	if q.FirstAt.IsZero() {
		q.FirstAt = q.LastAt
	}
	s.pass.settle(s, asideWith(previous), q.Key, previous, &q)
}

// Hold keeps an object in quarantine that this pass did not try, so that a later pass can try it.
// The former quarantine row stays unchanged except for WrittenSince. As with
// Quarantine, the previous entry stays in the ledger. If the object or this source version was not
// in quarantine, calling Hold is a bug and fails the pass.
func (s *Slot) Hold(q record.Quarantined, previous *record.Entry) {
	s.key.Held = true
	s.pass.settle(s, asideWith(previous), q.Key, previous, &q)
}

// asideWith returns the settlement of a slot whose object is quarantined. The parameter previous is
// the object's previous entry, nil if there is none.
func asideWith(previous *record.Entry) watermark.Settlement {
	if previous == nil {
		return watermark.AsideWithout
	}
	return watermark.AsideWithEntry
}

// Drop leaves the key without an entry. Use it if a filter skips an object that was never copied,
// or if the copy was deleted at the destination.
func (s *Slot) Drop() { s.pass.settle(s, watermark.Dropped, s.key.Name, nil, nil) }

func (p *unsaved) settle(s *Slot, how watermark.Settlement, key string, e *record.Entry, q *record.Quarantined) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.err != nil {
		return
	}
	if problem := s.misuse(how, key, q); problem != "" {
		p.end(fmt.Errorf("BUG: settle key %q: %s", s.key.Name, problem))
		return
	}
	s.key.How = how
	p.uploads.forget(p.uploads.begun, s.upload)
	if s.key.Held {
		p.uploads.hold(q)
	}
	p.changes.add(&s.key, s.rows, e, q, p.number)
	p.advance(s.walk)
}

// misuse returns why the slot cannot be settled this way, or "" if it can.
func (s *Slot) misuse(how watermark.Settlement, key string, q *record.Quarantined) string {
	switch {
	case s.key.How != watermark.Unsettled:
		return "settled twice"
	case key != s.key.Name:
		return fmt.Sprintf("the slot is not for key %q", key)
	case (how == watermark.Carried || how == watermark.AsideWithEntry) && s.rows.Entry == nil:
		return "the ledger has no entry to keep"
	case s.key.Held && (s.rows.Quarantined == nil || !s.rows.Quarantined.Source.Same(q.Source)):
		return "held, but this version of it was not set aside before"
	}
	return ""
}
