package checkpoint

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"time"

	"syncd/internal/checkpoint/record"
	"syncd/internal/checkpoint/watermark"
)

// Upload returns the upload that an interrupted process or UploadKept left under the slot's key,
// the youngest when there are several. Ok is false when there is none, when it was begun under
// another Options.Fingerprint and not kept, and when the slot has resumed it or begun another. The
// caller that resumes it looks whether it is what would be begun now, and says so by UploadBegan.
func (s *Slot) Upload() (u record.Upload, ok bool) {
	s.pass.mu.Lock()
	defer s.pass.mu.Unlock()
	known := &s.pass.uploads
	if _, has := known.begun[s.upload]; has {
		return record.Upload{}, false
	}
	if u, ok = known.offer(s.key.Name); ok {
		s.upload = u.ID
	}
	return u, ok
}

// UploadBegan records u until the slot is settled or UploadEnded is called. An upload of
// Options.UploadBytes or more is saved when UploadBegan returns, together with all others that have
// begun by then; a smaller one is saved with the next Flush. One that the slot has begun before and
// that did not end is left to Pass.LeftUploads. The error is that of the save, or why the pass has
// ended; u stays recorded all the same unless the pass has ended, until the caller has ended it.
func (s *Slot) UploadBegan(ctx context.Context, u record.Upload) error {
	u.BeganAt, u.Left, u.Kept = u.BeganAt.UTC().Truncate(time.Microsecond), false, false
	version, err := s.pass.uploadBegan(s, u)
	if err == nil && u.Source.Size >= s.pass.options.UploadBytes {
		err = s.pass.saveUploads(ctx, version)
	}
	if err != nil {
		return fmt.Errorf("remember upload of key %q: %w", s.key.Name, err)
	}
	return nil
}

func (p *saving) uploadBegan(s *Slot, u record.Upload) (version int64, err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	switch {
	case p.err != nil:
		return 0, p.err
	case s.key.How != watermark.Unsettled || u.Key != s.key.Name || u.ID == "":
		p.end(fmt.Errorf("BUG: upload %q of key %q begun in a slot of key %q, settled %t", u.ID, u.Key, s.key.Name, s.key.How != watermark.Unsettled))
		return 0, p.err
	}
	version = p.uploads.began(u, s.upload)
	s.upload = u.ID
	return version, nil
}

// UploadEnded forgets the slot's upload, the one it has begun or the one that Upload offered: it
// was completed, aborted or is gone.
func (s *Slot) UploadEnded() {
	s.pass.mu.Lock()
	defer s.pass.mu.Unlock()
	s.pass.uploads.forget(s.pass.uploads.begun, s.upload)
	s.pass.uploads.forget(s.pass.uploads.left, s.upload)
	s.upload = ""
}

// UploadKept has the slot's upload, the one it has begun or the one that Upload offered, outlive
// the slot, which is to be settled by Quarantine: the upload is offered again to the next slot of
// its key, also after a commit. It returns false when so many are kept that the upload is to be
// aborted, or when there is none.
func (s *Slot) UploadKept() bool {
	s.pass.mu.Lock()
	defer s.pass.mu.Unlock()
	u := &s.pass.uploads
	return u.keep(u.begun, s.upload) || u.keep(u.left, s.upload)
}

// LeftUploads returns the uploads that nobody resumes, by key: those that interrupted processes
// recorded or the last generation kept, and that no slot of this pass has taken over by
// UploadBegan, ended, kept or held, and those that a slot has begun another one in place of. Once
// all slots are settled they must be aborted, because no later pass hears of them: a commit takes
// the records away that name them. What is completed or aborted already may be among them, where a
// process died before it could say so.
func (p *unsaved) LeftUploads() []record.Upload {
	p.mu.Lock()
	defer p.mu.Unlock()
	return slices.SortedFunc(maps.Values(p.uploads.left), record.CompareUploads)
}

// KeptUploads returns the uploads that a later pass resumes, by key. They are not to be aborted.
func (p *unsaved) KeptUploads() []record.Upload {
	p.mu.Lock()
	defer p.mu.Unlock()
	return slices.SortedFunc(maps.Values(p.uploads.kept), record.CompareUploads)
}

// UploadAborted forgets one of LeftUploads.
func (p *unsaved) UploadAborted(id string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.uploads.forget(p.uploads.left, id)
}

// saveUploads makes the uploads of that version durable, unless a save has done so while it waited
// for its turn: of many callers at once, few save. It writes no more than a progress record;
// entries wait for the next Flush.
func (p *saving) saveUploads(ctx context.Context, version int64) error {
	if err := p.turn.Take(ctx); err != nil {
		return err
	}
	defer p.turn.Give()
	p.mu.Lock()
	if p.err != nil || p.uploads.saved >= version {
		defer p.mu.Unlock()
		return p.err
	}
	p.mu.Unlock()
	return p.saveState(ctx)
}
