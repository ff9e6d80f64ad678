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

// keepFor is how long an upload is kept that no attempt adds a part to: its parts cost storage, and
// it may be what fails.
const keepFor = 7 * 24 * time.Hour

// The notes of an upload, for the result of its copy.
const (
	// NoteStartedAnew says that an upload of an earlier process could not be taken over, and its
	// parts were made again.
	NoteStartedAnew = "upload_started_anew"
	// NoteStays says that an earlier upload could not be aborted and costs storage until Sweep or a
	// lifecycle rule removes it.
	NoteStays = "upload_stays"
)

// Record is where the upload of a copy is recorded.
type Record interface {
	// Upload returns the upload that an earlier process left; ok is false when there is none.
	Upload() (u record.Upload, ok bool)
	// UploadBegan remembers an upload before its first part is made, or again when it is taken
	// over.
	UploadBegan(ctx context.Context, u record.Upload) error
	// UploadEnded forgets the upload: it was completed, aborted or is gone.
	UploadEnded()
	// UploadKept has the upload wait for a later attempt although this one has failed; it returns
	// false when it may not.
	UploadKept() bool
}

// Tracker follows the upload of one copy from its creation, which may have been an earlier
// process's, to its end. Nothing ends an upload but through it, so that the record and the
// destination never tell different stories.
type Tracker struct {
	uploads *Uploads
	writer  request.Writer
	record  Record // nil when nothing is recorded
	upload  record.Upload
	open    bool // upload is one in progress
	saved   bool // and record knows of it
	found   bool // and an earlier attempt began it
	made    bool // and this attempt made a part of it
	notes   []string
}

// Track returns the tracker of a copy, with what an earlier process left; a nil record records
// nothing.
func (u *Uploads) Track(record Record, writer request.Writer) *Tracker {
	t := &Tracker{uploads: u, writer: writer, record: record}
	if record != nil {
		t.upload, t.open = record.Upload()
		t.saved, t.found = t.open, t.open
	}
	return t
}

// Notes say what is worth knowing although the copy succeeded: the Note constants, each at most
// once.
func (t *Tracker) Notes() []string { return t.notes }

// BeganAt is when the upload began, by the destination's clock: an object is dated by it.
func (t *Tracker) BeganAt() time.Time { return t.upload.BeganAt }

// began takes note of an upload that was created or is to be taken over. When the record cannot
// keep it, nobody will go on with it: it is aborted with the failure.
func (t *Tracker) began(ctx context.Context, u record.Upload) error {
	t.found, t.made = t.found && t.upload.ID == u.ID, false
	t.upload, t.open = u, true
	if t.record == nil {
		return nil
	}
	if err := t.record.UploadBegan(ctx, u); err != nil {
		return fmt.Errorf("remember upload %s: %w", u.ID, err)
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

// note takes a note for the result, once.
func (t *Tracker) note(text string) {
	if !slices.Contains(t.notes, text) {
		t.notes = append(t.notes, text)
	}
}

// Failed decides what becomes of the upload after its copy failed, also when ctx has ended:
// unfinished uploads cost storage until somebody removes them, and hold the work of hours. It
// returns the failure, with what came of the upload where that is not removed. The failure alone
// decides the class: a canceled copy stays a canceled one. Reason is why the object will be set
// aside for it.
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
		Hint: fmt.Sprintf("upload %s stays: %s", t.upload.ID, awserr.Brief(err)),
	}
}

// willResume reports whether another attempt will take the object up again from where this one
// failed.
func willResume(ctx context.Context, failure error) bool {
	return ctx.Err() != nil || errors.Is(failure, store.ErrLeaseLost) || awserr.Fatal(failure) || awserr.Classify(failure) == awserr.Canceled
}

// keep has the upload wait for the next pass, where the failure is one that passes by itself, as a
// session does that has been renewed since: it says nothing against what was made so far.
func (t *Tracker) keep(reason awserr.Class) bool {
	switch reason { //nolint:exhaustive // a closed list of the few classes that pass
	case awserr.Transient, awserr.Throttled, awserr.ThrottledKMS, awserr.Expired:
	default:
		return false
	}
	isYoung := t.uploads.o.Now().Sub(t.upload.BeganAt) < keepFor
	return (t.made || isYoung && (t.found || reason == awserr.Expired)) && t.record.UploadKept()
}

// DiscardUnless aborts an upload that an earlier process left, unless it is the planned one. An
// abort that is refused is no reason to fail the copy.
func (t *Tracker) DiscardUnless(ctx context.Context, planned record.Upload) error {
	if !t.open || sameUpload(t.upload, planned) {
		return nil
	}
	return t.discard(ctx)
}

// sameUpload reports whether an upload that was begun is the planned one, but for what only the
// destination can tell.
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

// abort ends the upload, and forgets it where it is truly ended.
func (t *Tracker) abort(ctx context.Context) error {
	err := t.writer.Bounded(ctx, func(ctx context.Context) error { return t.uploads.Abort(ctx, t.upload) })
	t.open = false
	if err == nil {
		t.ended()
	}
	return err
}
