package checkpoint

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"time"

	"syncd/internal/checkpoint/record"
)

// maxKept bounds the uploads that a generation names: an outage may break off any number, and a generation is read whole.
const maxKept = 1000

// uploads are the multipart uploads that a pass has to remember. They are used
// under Pass.mu.
type uploads struct {
	begun   map[string]record.Upload // by id: of slots that are not settled
	left    map[string]record.Upload // by id: recorded by earlier processes, or given up for another upload of the same slot
	kept    map[string]record.Upload // by id: of objects that this pass has set aside, for a later one
	version int64                    // rises with every change of what is to be saved
	saved   int64                    // version that the progress record saved last was of
}

// newUploads takes over what was found by a pass that goes on behind mark.
func newUploads(found []record.Upload, mark string) uploads {
	u := uploads{begun: make(map[string]record.Upload), left: make(map[string]record.Upload, len(found)), kept: make(map[string]record.Upload)}
	for _, f := range found {
		if f.Kept && !f.Left && f.Key <= mark {
			u.kept[f.ID] = f
		} else {
			u.left[f.ID] = f
		}
	}
	return u
}

// changed reports whether the last progress record names other uploads.
func (u *uploads) changed() bool { return u.saved < u.version }

// all returns what a progress record has to name, and the version of it.
func (u *uploads) all() ([]record.Upload, int64) {
	all := slices.AppendSeq(slices.Collect(maps.Values(u.left)), maps.Values(u.begun))
	all = slices.AppendSeq(all, maps.Values(u.kept))
	slices.SortFunc(all, record.CompareUploads)
	return all, u.version
}

// offer returns the youngest upload that was left under key and can be gone on with.
func (u *uploads) offer(key string) (best record.Upload, ok bool) {
	for _, l := range u.left {
		if l.Key == key && !l.Left && (!ok || record.CompareUploads(best, l) < 0) {
			best, ok = l, true
		}
	}
	best.Kept = false
	return best, ok
}

// began makes now the upload of a slot, in place of the one with the id before. It
// returns the version from which on a record names it.
func (u *uploads) began(now record.Upload, before string) int64 {
	if given, ok := u.begun[before]; ok && before != now.ID {
		u.left[before] = given // nobody said that it ended
		delete(u.begun, before)
	}
	if u.left[now.ID] != now && u.begun[now.ID] != now {
		u.version++
	}
	delete(u.left, now.ID)
	u.begun[now.ID] = now
	return u.version
}

// keep moves an upload to those that a later pass goes on with, unless there are too many of them.
func (u *uploads) keep(from map[string]record.Upload, id string) bool {
	now, ok := from[id]
	if !ok || now.Left || len(u.kept) >= maxKept {
		return false
	}
	delete(from, id)
	now.Kept = true
	u.kept[id] = now
	u.version++
	return true
}

// hold keeps the upload that is offered to a slot whose object is not tried, if it is of the version that was set aside.
func (u *uploads) hold(q *record.Quarantined) {
	if offered, ok := u.offer(q.Key); ok && offered.Source.Same(q.Source) {
		u.keep(u.left, offered.ID)
	}
}

// forget drops an upload that is over.
func (u *uploads) forget(in map[string]record.Upload, id string) {
	if _, ok := in[id]; ok {
		delete(in, id)
		u.version++
	}
}

// Upload returns the upload that an interrupted process or UploadKept left under
// the slot's key, the youngest when there are several. Ok is false when there is
// none, when it was begun under another Options.Fingerprint and not kept, and when
// the slot has gone on with it or begun another. Whoever goes on with it looks
// whether it is what would be begun now, and says so by UploadBegan.
func (s *Slot) Upload() (u record.Upload, ok bool) {
	s.pass.mu.Lock()
	defer s.pass.mu.Unlock()
	known := &s.pass.uploads
	if _, has := known.begun[s.upload]; has {
		return record.Upload{}, false
	}
	if u, ok = known.offer(s.key); ok {
		s.upload = u.ID
	}
	return u, ok
}

// UploadBegan remembers u until the slot is settled or UploadEnded is called. An
// upload of Options.UploadBytes or more is saved when UploadBegan returns, together
// with all others that have begun by then; a smaller one is saved with the next
// Flush. One that the slot has begun before and that did not end is left to
// Pass.LeftUploads. The error is that of the save, or why the pass has ended; u is
// remembered all the same where the pass goes on, until the caller has ended it.
func (s *Slot) UploadBegan(ctx context.Context, u record.Upload) error {
	u.BeganAt, u.Left, u.Kept = u.BeganAt.UTC().Truncate(time.Microsecond), false, false
	version, err := s.pass.uploadBegan(s, u)
	if err == nil && u.Source.Size >= s.pass.ledger.options.UploadBytes {
		err = s.pass.saveUploads(ctx, version)
	}
	if err != nil {
		return fmt.Errorf("remember upload of key %q: %w", s.key, err)
	}
	return nil
}

func (p *Pass) uploadBegan(s *Slot, u record.Upload) (version int64, err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	switch {
	case p.err != nil:
		return 0, p.err
	case s.how != unsettled || u.Key != s.key || u.ID == "":
		p.end(fmt.Errorf("BUG: upload %q of key %q begun in a slot of key %q, settled %t", u.ID, u.Key, s.key, s.how != unsettled))
		return 0, p.err
	}
	version = p.uploads.began(u, s.upload)
	s.upload = u.ID
	return version, nil
}

// UploadEnded forgets the slot's upload, the one it has begun or the one that
// Upload offered: it was completed, aborted or is gone.
func (s *Slot) UploadEnded() {
	s.pass.mu.Lock()
	defer s.pass.mu.Unlock()
	s.pass.uploads.forget(s.pass.uploads.begun, s.upload)
	s.pass.uploads.forget(s.pass.uploads.left, s.upload)
	s.upload = ""
}

// UploadKept has the slot's upload, the one it has begun or the one that Upload
// offered, outlive the slot, which is to be settled by Quarantine: the upload is
// offered again to the next slot of its key, also behind a commit. It returns false
// when so many are kept that the upload is to be aborted, or when there is none.
func (s *Slot) UploadKept() bool {
	s.pass.mu.Lock()
	defer s.pass.mu.Unlock()
	u := &s.pass.uploads
	return u.keep(u.begun, s.upload) || u.keep(u.left, s.upload)
}

// LeftUploads returns the uploads that nobody goes on with, by key: those that
// interrupted processes recorded or the last generation kept, and that no slot of
// this pass has taken over by UploadBegan, ended, kept or held, and those that a
// slot has begun another one in place of.
// Once all slots are settled they are to be aborted, because no later pass hears of
// them: a commit takes the records away that name them. What is completed or aborted
// already may be among them, where a process died before it could say so.
func (p *Pass) LeftUploads() []record.Upload {
	p.mu.Lock()
	defer p.mu.Unlock()
	return slices.SortedFunc(maps.Values(p.uploads.left), record.CompareUploads)
}

// KeptUploads returns the uploads that a later pass goes on with, by key. They are
// not to be aborted.
func (p *Pass) KeptUploads() []record.Upload {
	p.mu.Lock()
	defer p.mu.Unlock()
	return slices.SortedFunc(maps.Values(p.uploads.kept), record.CompareUploads)
}

// UploadAborted forgets one of LeftUploads.
func (p *Pass) UploadAborted(id string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.uploads.forget(p.uploads.left, id)
}

// saveUploads makes the uploads of that version durable, unless a save has done so
// while it waited for its turn: of many callers at once, few save. It writes no
// more than a progress record; entries wait for the next Flush.
func (p *Pass) saveUploads(ctx context.Context, version int64) error {
	if err := p.saving.Take(ctx); err != nil {
		return err
	}
	defer p.saving.Give()
	p.mu.Lock()
	if p.err != nil || p.uploads.saved >= version {
		defer p.mu.Unlock()
		return p.err
	}
	p.mu.Unlock()
	return p.saveState(ctx)
}
