package syncer

import (
	"context"
	"errors"
	"time"

	"syncd/internal/copier"
)

// clockSkew is how far the service's clock may be ahead of this one: requests signed further off are refused (Amazon S3 API
// Reference, "Error responses", RequestTimeTooSkewed).
const clockSkew = 15 * time.Minute

// abortUploads removes the uploads that nobody goes on with, at the end of a pass, when none of its own is under way: those
// that earlier passes recorded, and what nobody could record, because a process was killed or the answer with the id got
// lost. These are looked for when this pass has copied something in parts, as it has to when one was killed at it; a mapping
// without large objects is never asked for the permission. What stays costs storage and nothing else, so it is told and the
// pass goes on.
func (p *pass) abortUploads(ctx context.Context) {
	for _, u := range p.ledger.LeftUploads() {
		if err := p.o.Copier.AbortUpload(ctx, u); err != nil {
			p.log.Warn("upload was not aborted", "key", u.Key, "upload", u.ID, "err", err)
			continue
		}
		p.ledger.UploadAborted(u.ID)
		p.log.Debug("upload aborted", "key", u.Key, "upload", u.ID)
	}
	if !p.usedParts.Load() {
		return
	}
	aborted, err := p.o.Copier.SweepUploads(ctx, p.o.Now().Add(clockSkew), p.ledger.KeptUploads())
	switch {
	case errors.Is(err, copier.ErrUploadsHidden) && p.uploadsHidden:
	case err != nil:
		p.uploadsHidden = errors.Is(err, copier.ErrUploadsHidden) // told once: it costs nothing but storage, and will not change soon
		p.log.Warn("uploads were not swept", "err", err)
	}
	if aborted > 0 {
		p.log.Info("uploads of earlier passes aborted", "uploads", aborted)
	}
}
