package syncer

import (
	"context"
	"errors"

	"syncd/internal/copier"
)

// abortUploads removes the uploads that nobody goes on with, at the end of a pass, when none of its own is under way: those
// that earlier passes recorded, and what a killed process had no time to record. These are looked for when this pass has
// copied something in parts, as it has to when one was killed at it; a mapping without large objects is never asked for the
// permission. What stays costs storage and nothing else, so it is told and the pass goes on.
func (p *pass) abortUploads(ctx context.Context) {
	for _, u := range p.ledger.LeftUploads() {
		if err := p.o.Copier.AbortUpload(ctx, u); err != nil {
			p.o.Logger.Warn("upload was not aborted", "key", u.Key, "upload", u.ID, "err", err)
			continue
		}
		p.ledger.UploadAborted(u.ID)
		p.o.Logger.Debug("upload aborted", "key", u.Key, "upload", u.ID)
	}
	if !p.usedParts.Load() {
		return
	}
	aborted, err := p.o.Copier.SweepUploads(ctx, p.start)
	switch {
	case errors.Is(err, copier.ErrUploadsHidden) && p.uploadsHidden:
	case err != nil:
		p.uploadsHidden = errors.Is(err, copier.ErrUploadsHidden) // told once: it costs nothing but storage, and will not change soon
		p.o.Logger.Warn("uploads were not swept", "err", err)
	}
	if aborted > 0 {
		p.o.Logger.Info("uploads of earlier passes aborted", "uploads", aborted)
	}
}
