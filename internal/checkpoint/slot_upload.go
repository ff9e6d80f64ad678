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

// Upload returns the upload that an interrupted process or UploadKept left for the slot's key, the
// newest if there are several. Ok is false if there is none, if it was begun under another
// Options.Fingerprint and not kept, or if the slot has already resumed it or begun another. To
// resume it, the caller checks that a new upload would be begun with the same parameters, and then
// calls UploadBegan.
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

// UploadBegan records u until the slot is settled or UploadEnded is called. If u has at least
// Options.UploadBytes, UploadBegan saves it before it returns, together with all other uploads
// begun by then; a smaller upload is saved with the next Flush. If the slot had begun another
// upload that did not end, that one moves to Pass.LeftUploads. The error is the error of the save,
// or the reason why the pass has ended. After a failed save u stays recorded, and the caller must
// still end it.
func (s *Slot) UploadBegan(ctx context.Context, u record.Upload) error {
	u.BeganAt, u.Left, u.Kept = u.BeganAt.UTC().Truncate(time.Microsecond), false, false
	version, err := s.pass.uploadBegan(s, u)
	if err == nil && u.Source.Size >= s.pass.options.UploadBytes {
		err = s.pass.saveUploads(ctx, version)
	}
	if err != nil {
		return fmt.Errorf("record upload of key %q: %w", s.key.Name, err)
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

// UploadEnded forgets the upload that the slot began or was offered. Call it when the upload was
// completed, was aborted or no longer exists.
func (s *Slot) UploadEnded() {
	s.pass.mu.Lock()
	defer s.pass.mu.Unlock()
	s.pass.uploads.forget(s.pass.uploads.begun, s.upload)
	s.pass.uploads.forget(s.pass.uploads.left, s.upload)
	s.upload = ""
}

// UploadKept keeps the upload that the slot began or was offered, although the slot will be settled
// by Quarantine. The next slot of the key is offered the upload again, even after a commit.
// UploadKept returns false if there is no upload, or if too many are kept already; the caller must
// then abort the upload.
func (s *Slot) UploadKept() bool {
	s.pass.mu.Lock()
	defer s.pass.mu.Unlock()
	u := &s.pass.uploads
	return u.keep(u.begun, s.upload) || u.keep(u.left, s.upload)
}

// LeftUploads returns the uploads that no slot has resumed, by key: those recorded by interrupted
// processes or kept by the last generation that no slot of this pass has begun, ended, kept or
// held, and those that a slot replaced by another upload. Abort them once all slots are settled: a
// commit removes the records that name them, so no later pass would know of them. Some may already
// be completed or aborted, if a process died before it could record that.
func (p *unsaved) LeftUploads() []record.Upload {
	p.mu.Lock()
	defer p.mu.Unlock()
	return slices.SortedFunc(maps.Values(p.uploads.left), record.CompareUploads)
}

// KeptUploads returns the uploads that a later pass resumes, by key. They must not be aborted.
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

// saveUploads saves the uploads of that version, unless another save did so while this one waited
// for its turn. Of many concurrent callers only a few save. It writes only a progress record;
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
