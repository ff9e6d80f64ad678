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

// uploads cleans up multipart uploads that earlier passes left unfinished.
type uploads struct {
	uploader uploader
	// isHidden means that a denied listing of uploads was already logged.
	isHidden bool
}

// abort aborts recorded uploads that no pass will resume. It runs before the commit, because the
// commit deletes the records of the uploads. It confirms the lease first: a process that lost the
// lease without noticing must not abort the uploads of the next holder. An upload that cannot be
// aborted only costs storage, so it is logged and the pass continues.
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
			if stay++; stay == 1 { // log only the first: a policy can deny the abort of many uploads
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

// sweep aborts uploads that were never recorded, because the process was killed or the response
// with the upload ID was lost. It runs after the commit, which proves that this process holds the
// lease. It aborts only uploads that began before this pass.
func (u *uploads) sweep(ctx context.Context, pass *checkpoint.Pass, began time.Time, log *slog.Logger) {
	bound, release, err := pass.Writing(ctx)
	if err != nil {
		return // the lease was lost: the next holder sweeps
	}
	defer release()
	aborted, err := u.uploader.SweepUploads(bound, u.uploader.There(began), pass.KeptUploads())
	switch {
	case errors.Is(err, upload.ErrUploadsHidden) && u.isHidden:
	case err != nil:
		u.isHidden = errors.Is(err, upload.ErrUploadsHidden) // log only once: leftover uploads only cost storage, and permissions rarely change
		log.Warn("unrecorded uploads were not aborted", "err", err)
	}
	if aborted > 0 {
		log.Info("aborted the uploads of earlier passes", "uploads", aborted)
	}
}
