package syncer

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"syncd/internal/checkpoint"
	"syncd/internal/checkpoint/record"
	"syncd/internal/copier/upload"
)

// uploader aborts uploads.
type uploader interface {
	There(t time.Time) time.Time
	AbortUpload(ctx context.Context, u record.Upload) error
	LostUploads() bool
	SweepUploads(ctx context.Context, before time.Time, kept []record.Upload) (aborted int, err error)
}

// uploads clears up the uploads that passes left unfinished.
type uploads struct {
	uploader uploader
	// isHidden says that it was logged that uploads may not be listed.
	isHidden bool
}

// abort removes the uploads that earlier passes recorded and that no pass resumes, before the
// commit that takes their records away. It confirms the lease first: a process that has lost it
// unnoticed must not abort what the next holder works on. An upload that cannot be aborted only
// costs storage, so it is logged and the pass continues.
func (u *uploads) abort(ctx context.Context, pass *checkpoint.Pass, log *slog.Logger) error {
	left := pass.LeftUploads()
	if len(left) == 0 {
		return nil
	}
	if err := pass.Confirm(ctx); err != nil {
		return err
	}
	bound, release, err := pass.Writing(ctx)
	if err != nil {
		return err
	}
	defer release()
	stay := 0
	for _, upload := range left {
		if err := u.uploader.AbortUpload(bound, upload); err != nil {
			if stay++; stay == 1 { // there may be many, which a policy keeps from being aborted
				log.Warn("upload was not aborted", "key", upload.Key, "upload", upload.ID, "err", err)
			} else {
				log.Debug("upload was not aborted", "key", upload.Key, "upload", upload.ID, "err", err)
			}
			continue
		}
		pass.UploadAborted(upload.ID)
		log.Debug("upload aborted", "key", upload.Key, "upload", upload.ID)
	}
	if stay > 1 {
		log.Warn("uploads were not aborted", "uploads", stay)
	}
	return nil
}

// sweep removes the uploads that no process could record, because it was killed or the answer with
// the id was lost: after the commit, which proves that this process holds the lease, and only those
// that began before this pass did.
func (u *uploads) sweep(ctx context.Context, pass *checkpoint.Pass, began time.Time, log *slog.Logger) {
	bound, release, err := pass.Writing(ctx)
	if err != nil {
		return // the next holder of the lease sweeps
	}
	defer release()
	aborted, err := u.uploader.SweepUploads(bound, u.uploader.There(began), pass.KeptUploads())
	switch {
	case errors.Is(err, upload.ErrUploadsHidden) && u.isHidden:
	case err != nil:
		u.isHidden = errors.Is(err, upload.ErrUploadsHidden) // logged once: it only costs storage, and will not change soon
		log.Warn("uploads were not swept", "err", err)
	}
	if aborted > 0 {
		log.Info("uploads of earlier passes aborted", "uploads", aborted)
	}
}
