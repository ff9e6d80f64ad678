package copier

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/s3"

	"syncd/internal/awserr"
	"syncd/internal/checkpoint"
	"syncd/internal/deadline"
)

const (
	// abortTimeout bounds the clean-up of an upload after its copy failed or was canceled.
	abortTimeout = 10 * time.Second
	// keepFor is how long an upload is kept that no attempt adds a part to: its parts cost storage, and it may be what fails.
	keepFor = 7 * 24 * time.Hour
)

// Record is where a copy is recorded and what entitles it to write. A *checkpoint.Slot is one.
type Record interface {
	// Writing returns a context for one write at the destination, which ends with the right to write there. The error, which
	// satisfies errors.Is(err, checkpoint.ErrLeaseLost), says that it has ended.
	Writing(ctx context.Context) (bound context.Context, release context.CancelFunc, err error)
	// Upload returns the upload that an earlier process left; ok is false when there is none.
	Upload() (u checkpoint.Upload, ok bool)
	// UploadBegan remembers an upload before its first part is made, or again when it is taken over.
	UploadBegan(ctx context.Context, u checkpoint.Upload) error
	// UploadEnded forgets the upload: it was completed, aborted or is gone.
	UploadEnded()
	// UploadKept has the upload wait for a later attempt although this one has failed; it returns false when it may not.
	UploadKept() bool
}

// remembered is the upload of one copy, from its creation, which may have been an earlier process's, to its end. Nothing
// ends an upload but through it, so that the record and the destination never tell different stories.
type remembered struct {
	c      *Copier
	job    *job
	record Record // nil when nothing is remembered
	upload checkpoint.Upload
	open   bool // upload is one under way
	saved  bool // and record knows of it
	found  bool // and an earlier attempt began it
	made   bool // and this attempt made a part of it
	notes  []string
}

func (j *job) remember() *remembered {
	r := &remembered{c: j.c, job: j, record: j.record}
	if r.record != nil {
		r.upload, r.open = r.record.Upload()
		r.saved, r.found = r.open, r.open
	}
	return r
}

// plannedUpload is the upload that a copy of the object would make, as it would be remembered but for what only the
// destination can tell.
func (j *job) plannedUpload() checkpoint.Upload {
	c := j.c
	return checkpoint.Upload{
		Key: j.object.Key, Bucket: c.o.DestinationPlace.Bucket, DestinationKey: j.key,
		Source: j.object.Version, PartSize: c.o.PartSizeOf(j.object.Size), Relay: c.o.Relay,
		Settings: c.settings(),
	}
}

// settings are what an upload is begun with beside its source: one that was begun under others is of no use.
func (c *Copier) settings() string {
	text := fmt.Sprintf("source=%s key=%s bucket_key=%t class=%s keep_class=%t omit_tags=%t omit_metadata=%t object_lock=%t",
		c.o.SourcePlace.Bucket, c.o.KeyARN, c.o.BucketKey, c.o.StorageClass, c.o.KeepStorageClass, c.o.OmitTags, c.o.OmitMetadata, c.o.ObjectLock)
	// What is not set is left out: an upload of a former version that had no word for it is still of use.
	if c.o.ChoosesTags() {
		text += fmt.Sprintf(" only_tags=%q", slices.Sorted(slices.Values(c.o.OnlyTags)))
	}
	if c.o.ACL != "" {
		text += " acl=" + c.o.ACL
	}
	if c.o.ObjectLockMax > 0 {
		text += " object_lock_max=" + c.o.ObjectLockMax.String()
	}
	return text
}

// began takes note of an upload that was created or is to be taken over. When the record cannot keep it, nobody will go on
// with it: it is aborted with the failure.
func (r *remembered) began(ctx context.Context, u checkpoint.Upload) error {
	r.found, r.made = r.found && r.upload.ID == u.ID, false
	r.upload, r.open = u, true
	if r.record == nil {
		return nil
	}
	if err := r.record.UploadBegan(ctx, u); err != nil {
		return fmt.Errorf("remember upload %s: %w", u.ID, err)
	}
	r.saved = true
	return nil
}

func (r *remembered) ended() {
	r.open, r.saved = false, false
	if r.record != nil {
		r.record.UploadEnded()
	}
}

// note takes a note for the result, once.
func (r *remembered) note(text string) {
	if !slices.Contains(r.notes, text) {
		r.notes = append(r.notes, text)
	}
}

// settle decides what becomes of the upload after its copy failed, also when ctx has ended: unfinished uploads cost storage
// until somebody removes them, and hold the work of hours. It returns the failure, with what came of the upload where that is not removed. The failure
// alone decides the class: a canceled copy stays a canceled one.
func (r *remembered) settle(ctx context.Context, failure error) error {
	if !r.open || r.saved && (goesOn(ctx, failure) || r.keep(failure)) {
		return failure
	}
	err := r.abort(context.WithoutCancel(ctx))
	if err == nil {
		return failure
	}
	return &ObjectError{
		Op: "copy", Bucket: r.c.o.SourcePlace.Bucket, Key: r.upload.Key, Err: failure,
		Hint: fmt.Sprintf("upload %s stays: %s", r.upload.ID, awserr.Brief(err)),
	}
}

// goesOn reports whether another attempt will take the object up again from where this one failed.
func goesOn(ctx context.Context, failure error) bool {
	return ctx.Err() != nil || errors.Is(failure, checkpoint.ErrLeaseLost) || awserr.Fatal(failure) || awserr.Classify(failure) == awserr.Canceled
}

// keep has the upload wait for the next pass, where the failure is one that passes by itself, as a session does that has been renewed
// since: it says nothing against what was made so far.
func (r *remembered) keep(failure error) bool {
	reason := awserr.Class(Reason(failure))
	switch reason { //nolint:exhaustive // a closed list of the few classes that pass
	case awserr.Transient, awserr.Throttled, awserr.ThrottledKMS, awserr.Expired:
	default:
		return false
	}
	isYoung := r.c.o.Now().Sub(r.upload.BeganAt) < keepFor
	return (r.made || isYoung && (r.found || reason == awserr.Expired)) && r.record.UploadKept()
}

// discardUnless aborts an upload that an earlier process left, unless it is the planned one. An abort that is refused is no
// reason to fail the copy.
func (r *remembered) discardUnless(ctx context.Context, planned checkpoint.Upload) error {
	if !r.open || sameUpload(r.upload, planned) {
		return nil
	}
	return r.discard(ctx)
}

// sameUpload reports whether an upload that was begun is the planned one, but for what only the destination can tell.
func sameUpload(begun, planned checkpoint.Upload) bool {
	planned.ID, planned.BeganAt, planned.TagsLate = begun.ID, begun.BeganAt, begun.TagsLate
	isSame := begun.Source.Same(planned.Source)
	planned.Source = begun.Source
	return isSame && begun == planned
}

func (r *remembered) discard(ctx context.Context) error {
	err := r.abort(ctx)
	if err == nil {
		return nil
	}
	if goesOn(ctx, err) {
		return err
	}
	r.note(NoteUploadStays)
	return nil
}

// abort ends the upload, and forgets it where it is truly ended.
func (r *remembered) abort(ctx context.Context) error {
	err := r.job.bounded(ctx, func(ctx context.Context) error { return r.c.AbortUpload(ctx, r.upload) })
	r.open = false
	if err == nil {
		r.ended()
	}
	return err
}

// AbortUpload removes an unfinished upload with its parts. One that is gone is removed. It waits for no slot, and ten
// seconds at most.
func (c *Copier) AbortUpload(ctx context.Context, u checkpoint.Upload) error {
	in := &s3.AbortMultipartUploadInput{Bucket: &u.Bucket, Key: &u.DestinationKey, UploadId: &u.ID}
	if u.Bucket == c.o.DestinationPlace.Bucket {
		in.ExpectedBucketOwner = optional(c.o.DestinationPlace.Account)
	}
	err := deadline.Do(ctx, abortTimeout, func(ctx context.Context) error {
		_, err := c.o.Destination.AbortMultipartUpload(ctx, in)
		return err
	})
	if err == nil || awserr.Classify(err) == awserr.Gone {
		return nil
	}
	return &ObjectError{Op: "abort upload " + u.ID + " of", Bucket: u.Bucket, Key: u.DestinationKey, Err: err}
}
