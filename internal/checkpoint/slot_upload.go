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

// Upload returns the newest upload for the slot's key that an interrupted process left or that
// UploadKept kept. The result ok is false if there is no such upload, if the upload was begun under
// another Options.Fingerprint and not kept, or if the slot has already resumed or begun an upload.
// Before the caller resumes the upload, it must check that a new upload would have the same
// parameters, and then call UploadBegan.
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
// upload that did not end, the earlier upload moves to Pass.LeftUploads. UploadBegan returns the
// error of the save, or the reason why the pass has ended. After a failed save, u stays recorded,
// and the caller must still complete or abort the upload.
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

// UploadEnded removes the record of the upload that the slot began or that Upload returned. Call it
// when the upload was completed, was aborted or no longer exists.
func (s *Slot) UploadEnded() {
	s.pass.mu.Lock()
	defer s.pass.mu.Unlock()
	s.pass.uploads.forget(s.pass.uploads.begun, s.upload)
	s.pass.uploads.forget(s.pass.uploads.left, s.upload)
	s.upload = ""
}

// UploadKept keeps the upload that the slot began or that Upload returned, for a slot that will be
// settled by Quarantine. Upload then returns it for the next slot of the key, even after a commit.
// UploadKept returns false if there is no upload, or if too many uploads (1000) are kept already.
// The caller must then abort the upload.
func (s *Slot) UploadKept() bool {
	s.pass.mu.Lock()
	defer s.pass.mu.Unlock()
	u := &s.pass.uploads
	return u.keep(u.begun, s.upload) || u.keep(u.left, s.upload)
}

// LeftUploads returns the uploads that the caller must abort, ordered by key. These are, first, the
// uploads that interrupted processes recorded or the last generation kept, except the uploads that
// a slot of this pass has begun, ended, kept or held. Second, they are the uploads that a slot has
// replaced with another upload. Abort the uploads after all slots are settled and before Commit: a
// commit deletes the records that name the uploads, so later passes cannot find them. If a process
// died before it could record the end of an upload, the upload may already be completed or aborted.
func (p *unsaved) LeftUploads() []record.Upload {
	p.mu.Lock()
	defer p.mu.Unlock()
	return slices.SortedFunc(maps.Values(p.uploads.left), record.CompareUploads)
}

// KeptUploads returns the uploads that a later pass resumes, ordered by key. They must not be
// aborted.
func (p *unsaved) KeptUploads() []record.Upload {
	p.mu.Lock()
	defer p.mu.Unlock()
	return slices.SortedFunc(maps.Values(p.uploads.kept), record.CompareUploads)
}

// UploadAborted removes an upload from LeftUploads.
func (p *unsaved) UploadAborted(id string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.uploads.forget(p.uploads.left, id)
}

// saveUploads saves the uploads, unless this version or a later version of them is saved already.
func (p *saving) saveUploads(ctx context.Context, version int64) error {
	return p.saveStateUnless(ctx, func() bool { return p.uploads.saved >= version })
}
