package upload

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"syncd/internal/awserr"
	"syncd/internal/checkpoint/record"
	"syncd/internal/checkpoint/store"
	"syncd/internal/copier/request"
)

// keepFor is the maximum age at which an upload is kept after an attempt that added no part to it.
// An older upload is aborted, because its parts cost storage and the upload itself may cause the
// failures.
const keepFor = 7 * 24 * time.Hour

// The notes of an upload, for the result of its copy.
const (
	// NoteStartedAnew means that the upload of an earlier process could not be taken over, so all
	// parts were made again.
	NoteStartedAnew = "upload_started_anew"
	// NoteStays means that an earlier upload could not be aborted. It costs storage until Sweep or
	// a lifecycle rule removes it.
	NoteStays = "upload_stays"
)

// Record records the upload of a copy.
type Record interface {
	// Upload returns the upload of the same key that an earlier process left. The result ok is
	// false if there is no such upload.
	Upload() (u record.Upload, ok bool)
	// UploadBegan records an upload before its first part is made, or again when it is taken over.
	UploadBegan(ctx context.Context, u record.Upload) error
	// UploadEnded removes the record of the upload. It is called when the upload was completed, was
	// aborted or no longer exists.
	UploadEnded()
	// UploadKept keeps the upload for a later attempt after this attempt has failed. It returns
	// false if the upload cannot be kept.
	UploadKept() bool
}

// Tracker follows the upload of one copy from its creation, possibly by an earlier process, to its
// end. Every upload is ended through its Tracker, so that the record and the destination always
// agree.
type Tracker struct {
	uploads *Uploads
	writer  request.Writer
	record  Record // nil if nothing is recorded
	upload  record.Upload
	open    bool // whether the upload is in progress
	saved   bool // whether record contains the upload
	found   bool // whether an earlier attempt began the upload
	made    bool // whether this attempt made a part of the upload
	notes   []string
}

// Track returns the tracker of a copy. If record has an upload that an earlier process left, the
// tracker begins with that upload. A nil record records nothing.
func (u *Uploads) Track(record Record, writer request.Writer) *Tracker {
	t := &Tracker{uploads: u, writer: writer, record: record}
	if record != nil {
		t.upload, t.open = record.Upload()
		t.saved, t.found = t.open, t.open
	}
	return t
}

// Notes returns remarks on a successful copy: the Note constants, each at most once.
func (t *Tracker) Notes() []string { return t.notes }

// BeganAt returns when the upload began, by the destination's clock, which also dates the object.
func (t *Tracker) BeganAt() time.Time { return t.upload.BeganAt }

// began records an upload that was created or is taken over. If began fails, no later process could
// find the upload, so the upload is aborted when the failure is handled.
func (t *Tracker) began(ctx context.Context, u record.Upload) error {
	t.found, t.made = t.found && t.upload.ID == u.ID, false
	t.upload, t.open = u, true
	if t.record == nil {
		return nil
	}
	if err := t.record.UploadBegan(ctx, u); err != nil {
		return fmt.Errorf("record upload %s: %w", u.ID, err)
	}
	t.saved = true
	return nil
}

func (t *Tracker) ended() {
	t.open, t.saved = false, false
	if t.record != nil {
		t.record.UploadEnded()
	}
}

// note adds a note to the result, once.
func (t *Tracker) note(text string) {
	if !slices.Contains(t.notes, text) {
		t.notes = append(t.notes, text)
	}
}

// Failed keeps or aborts the upload after its copy has failed, even if ctx has ended. An unfinished
// upload costs storage until it is removed, but can contain hours of work. Failed returns failure,
// with a hint if the upload could not be aborted. The class of the returned error is the class of
// failure, so a canceled copy stays canceled. The parameter reason is the class for which the
// object will be quarantined.
func (t *Tracker) Failed(ctx context.Context, failure error, reason awserr.Class) error {
	if !t.open || t.saved && (willResume(ctx, failure) || t.keep(reason)) {
		return failure
	}
	err := t.abort(context.WithoutCancel(ctx))
	if err == nil {
		return failure
	}
	return &request.ObjectError{
		Op: "copy", Bucket: t.uploads.o.Source.Bucket, Key: t.upload.Key, Err: failure,
		Hint: fmt.Sprintf("upload %s was not removed: %s", t.upload.ID, awserr.Brief(err)),
	}
}

// willResume reports whether another attempt will resume the copy where this attempt failed.
func willResume(ctx context.Context, failure error) bool {
	return ctx.Err() != nil || errors.Is(failure, store.ErrLeaseLost) || awserr.Fatal(failure) || awserr.Classify(failure) == awserr.Canceled
}

// keep keeps the upload for the next pass if the failure is temporary, such as an expired session
// that has been renewed in the meantime. In that case the parts made so far can still be used. It
// reports whether the upload was kept.
func (t *Tracker) keep(reason awserr.Class) bool {
	switch reason { //nolint:exhaustive // the few temporary classes
	case awserr.Transient, awserr.Throttled, awserr.ThrottledKMS, awserr.Expired:
	default:
		return false
	}
	isYoung := t.uploads.o.Now().Sub(t.upload.BeganAt) < keepFor
	return (t.made || isYoung && (t.found || reason == awserr.Expired)) && t.record.UploadKept()
}

// DiscardUnless aborts an upload that an earlier process left, unless it is the planned upload. A
// refused abort does not fail the copy.
func (t *Tracker) DiscardUnless(ctx context.Context, planned record.Upload) error {
	if !t.open || sameUpload(t.upload, planned) {
		return nil
	}
	return t.discard(ctx)
}

// sameUpload reports whether begun and planned are the same upload, ignoring the fields that only
// the destination can provide.
func sameUpload(begun, planned record.Upload) bool {
	planned.ID, planned.BeganAt, planned.TagsLate = begun.ID, begun.BeganAt, begun.TagsLate
	isSame := begun.Source.Same(planned.Source)
	planned.Source = begun.Source
	return isSame && begun == planned
}

func (t *Tracker) discard(ctx context.Context) error {
	err := t.abort(ctx)
	if err == nil {
		return nil
	}
	if willResume(ctx, err) {
		return err
	}
	t.note(NoteStays)
	return nil
}

// abort aborts the upload. If the upload has ended, abort removes its record.
func (t *Tracker) abort(ctx context.Context) error {
	err := t.writer.Bounded(ctx, func(ctx context.Context) error { return t.uploads.Abort(ctx, t.upload) })
	t.open = false
	if err == nil {
		t.ended()
	}
	return err
}
