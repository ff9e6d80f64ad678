package syncer

import (
	"context"
	"errors"

	"syncd/internal/copier/upload"
)

// abortUploads removes the uploads that earlier passes recorded and that no pass resumes, before the commit that takes their
// records away. It confirms the lease first: a process that has lost it unnoticed must not abort what the next holder works on.
// An upload that cannot be aborted only costs storage, so it is logged and the pass continues.
func (p *pass) abortUploads(ctx context.Context) error {
	left := p.ledger.LeftUploads()
	if len(left) == 0 {
		return nil
	}
	if err := p.ledger.Confirm(ctx); err != nil {
		return err
	}
	bound, release, err := p.ledger.Writing(ctx)
	if err != nil {
		return err
	}
	defer release()
	stay := 0
	for _, u := range left {
		if err := p.o.Copier.AbortUpload(bound, u); err != nil {
			if stay++; stay == 1 { // there may be many, which a policy keeps from being aborted
				p.log.Warn("upload was not aborted", "key", u.Key, "upload", u.ID, "err", err)
			} else {
				p.log.Debug("upload was not aborted", "key", u.Key, "upload", u.ID, "err", err)
			}
			continue
		}
		p.ledger.UploadAborted(u.ID)
		p.log.Debug("upload aborted", "key", u.Key, "upload", u.ID)
	}
	if stay > 1 {
		p.log.Warn("uploads were not aborted", "uploads", stay)
	}
	return nil
}

// sweepUploads removes the uploads that no process could record, because it was killed or the answer with the id was lost: after
// the commit, which proves that this process holds the lease, and only those that began before this pass did. They are looked for
// when this pass has copied something in parts, as it has to when one was killed at it, or an earlier one of this process may
// have left some behind; a mapping without large objects is never asked for the permission.
func (p *pass) sweepUploads(ctx context.Context) {
	if !p.usedParts.Load() && !p.hasLost {
		return
	}
	bound, release, err := p.ledger.Writing(ctx)
	if err != nil {
		return // whoever holds the lease now sweeps
	}
	defer release()
	aborted, err := p.o.Copier.SweepUploads(bound, p.o.Copier.There(p.began), p.ledger.KeptUploads())
	switch {
	case errors.Is(err, upload.ErrUploadsHidden) && p.uploadsHidden:
	case err != nil:
		p.uploadsHidden = errors.Is(err, upload.ErrUploadsHidden) // logged once: it only costs storage, and will not change soon
		p.log.Warn("uploads were not swept", "err", err)
	}
	if aborted > 0 {
		p.log.Info("uploads of earlier passes aborted", "uploads", aborted)
	}
}
