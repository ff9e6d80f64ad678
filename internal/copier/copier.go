// Package copier carries out one copy: an action of the plan in, a result with its proof out.
//
// It promises that what it reports as copied is one version of the source, whole, under the configured KMS key. Every
// request is pinned to the ETag that was listed, so that an object overwritten during the copy is copied again from its
// newest version and never mixed from two; the key ARN that the service answers is compared with the configured one; the
// expected owner is sent for both buckets. Up to 5 GiB an object costs exactly one request; above, and where two roles
// are needed, content goes in parts side by side, or from one stream where a source answers no ranges. An upload of parts
// that is cut short by a drain, a dead session, a killed process or an outage resumes from where it was recorded last;
// every other failure aborts it, and SweepUploads finds uploads that no record names.
//
// It promises as well that it replaces nothing at the destination that syncd neither wrote nor adopted: every write is
// conditional on what the caller knows to be there (a [Target]), as far as the service honours conditions, and happens only
// while the pass may write. A refusal is never assumed to come from one side: both are asked.
//
// It leaves to others which objects to copy, in what order and how many at once (the syncer), and what to record of it
// (the ledger, behind [Record]). It never logs and counts nothing.
//
// Four words: server-side means that S3 moves the bytes and none passes through this process; a slot is the right to have
// one request in flight; to take over an upload is to resume one that another process began; an object at the destination
// is foreign when it is not syncd's.
package copier

import (
	"context"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"

	"syncd/internal/awserr"
	"syncd/internal/listing"
	"syncd/internal/plan"
	"syncd/internal/transfer"
)

const (
	// maxVersions bounds how often a copy follows a source that is overwritten during the copy, and maxRounds how often it is
	// tried in all, with what else it may meet at the destination.
	maxVersions = 3
	maxRounds   = 6
)

// Copier copies objects from one bucket to another.
type Copier struct {
	o          Options
	crc        checksummer
	memory     *member // of Options.Buffers
	conditions *conditions
	doubts     *doubts
	lostUpload atomic.Bool   // an upload may have begun of which nobody knows the id
	annotating chan struct{} // holds a value for each annotation in memory
}

// New returns a Copier.
func New(o Options) *Copier {
	if o.Now == nil {
		o.Now = time.Now
	}
	c := &Copier{o: o, crc: newChecksummer(), conditions: newConditions(o.ToS3), doubts: newDoubts(), annotating: make(chan struct{}, annotationsAtOnce)}
	if o.Relay {
		c.memory, c.o.RelayMemory = o.Buffers.member(), o.Buffers.size
	}
	return c
}

// Result is a copy that the destination has confirmed.
type Result struct {
	// Object is the source version that was copied: the listed one, or a newer one when it was overwritten meanwhile.
	Object listing.Object
	// DestinationKey, DestinationETag and DestinationVersionID name the copy; the version is empty without versioning.
	DestinationKey, DestinationETag, DestinationVersionID string
	// KeyARN is the KMS key that the service says the copy is encrypted with.
	KeyARN string
	// BucketKey says that an S3 Bucket Key was used.
	BucketKey bool
	// Checksum is the checksum that the service answered, as "algorithm:base64"; empty when it answered none.
	Checksum string
	// Parts is the number of parts, 0 for a copy in one piece; Resumed is how many of them an earlier process had made.
	Parts, Resumed int
	// CopiedAt is when the answer came.
	CopiedAt time.Time
	// Adopted says that nothing was copied: what the destination holds already is the object's copy.
	Adopted bool
	// Unconditional is why the copy was written without a condition, "" where it had one: ConditionsIgnored or ConditionsDenied.
	Unconditional string
	// Notes say what is worth knowing although the copy succeeded: the Note constants, each at most once. A server-side
	// copy in one piece, which never looks at its source, has none.
	Notes []string
}

// Why a copy is written without a condition.
const (
	// ConditionsIgnored says that the service takes none, or does not look at them.
	ConditionsIgnored = "the service does not honour If-Match and If-None-Match"
	// ConditionsDenied says that the role may not send If-Match.
	ConditionsDenied = "s3:GetObject is denied on the destination's objects, which If-Match needs"
)

// The notes of a Result.
const (
	// NoteRedirectDropped says that the source redirects to a website address, which is not copied.
	NoteRedirectDropped = "website_redirect_dropped"
	// NoteRetentionCut says that the copy's retention ends before its source's, as late as Options.ObjectLockMax allows.
	NoteRetentionCut = "retention_shortened"
	// NoteStartedAnew says that an upload of an earlier process could not be taken over, and its parts were made again.
	NoteStartedAnew = "upload_started_anew"
	// NoteUploadStays says that an earlier upload could not be aborted and costs storage until SweepUploads or a lifecycle
	// rule removes it.
	NoteUploadStays = "upload_stays"
)

// job is the copy of one object on its way.
type job struct {
	c        *Copier
	object   listing.Object // the version that is copied
	key      string         // at the destination
	record   Record         // nil: none
	upload   *remembered
	standing *standing
	target   Target

	versions      int       // of the source that were followed
	began         time.Time // when the last write of the object was sent, by this process's clock
	unconditional string    // why a write happened without the condition it should have had
}

// Copy copies one object and returns what the destination answered. An error is an *ObjectError; what of the destination is
// syncd's own after it, ours says.
//
// A source that is overwritten meanwhile is looked up and copied again in its newest version, a few times, before it ends
// with ErrUnsteady; one that vanished ends with class gone. What is at the destination already is adopted if it is the
// object's copy, replaced if target says that it is syncd's own or Options.OverwriteAny is set, and else the copy ends with
// ErrForeign.
//
// An upload of parts is recorded, and one that record offers is taken over when it is of this very copy, or else aborted; a nil
// record records nothing. An upload whose copy ended because ctx or the right to write did, or with an error that
// awserr.Fatal ends the mapping for, stays as it is for another attempt. So does one whose copy was throttled or met a fault
// of the service or the network, where record keeps it and there is something in it to keep: a part that this attempt made,
// or those of an earlier one for up to a week. After any other failure it is aborted.
//
// A panic is a failure like any other, a *PanicError. One that would end the mapping, and is not shared by other requests, is an
// *awserr.AloneError.
func (c *Copier) Copy(ctx context.Context, object listing.Object, target Target, record Record) (result Result, ours Ours, err error) {
	key, err := c.DestinationKey(object.Key)
	if err != nil {
		return Result{}, Ours{ETag: target.Known, Since: target.OursSince}, err
	}
	j := &job{c: c, object: object, key: key, record: record, target: target, standing: c.standing(key, target)}
	number := c.doubts.begin()
	j.upload = j.remember()
	err = c.guard(object.Key, func() (err error) {
		result, err = j.run(ctx)
		return err
	})
	if err != nil {
		return Result{}, j.standing.ours(), err
	}
	c.doubts.succeeded(number)
	result.Unconditional = j.unconditional
	return result, Ours{}, nil
}

// run copies the object until it is copied, or cannot be.
func (j *job) run(ctx context.Context) (Result, error) {
	var failure error
	for range maxRounds {
		var result Result
		err := j.c.guard(j.object.Key, func() (err error) {
			result, err = j.copyVersion(ctx)
			return err
		})
		if err == nil {
			return result, nil
		}
		failure = j.upload.settle(ctx, j.c.alone(ctx, j.object.Key, err))
		if awserr.Classify(failure) == awserr.Denied && j.c.isAbsent(ctx, j.object.Key, failure) {
			return Result{}, j.gone(ctx, j.c.failed("copy", j.object.Key, errGone))
		}
		if !refused(failure) {
			return Result{}, failure
		}
		if err := j.askBoth(ctx); err != nil {
			return Result{}, j.c.alone(ctx, j.object.Key, err)
		}
	}
	if awserr.Classify(failure) == awserr.Conflict {
		return Result{}, failure
	}
	// The class of the failure is left out: it must not call an object gone that is still there.
	return Result{}, j.c.failed("copy", j.object.Key, fmt.Errorf("%w: %s", ErrUnsteady, awserr.Brief(failure)))
}

// askBoth looks at the source and the destination after a refusal. An error ends the copy, with class gone if there is no
// source any more.
func (j *job) askBoth(ctx context.Context) error {
	now, err := j.c.Look(ctx, j.object.Key)
	if awserr.Classify(err) == awserr.Gone {
		err = j.gone(ctx, err)
	}
	if err != nil {
		return err
	}
	if !now.Same(j.object.Version) {
		if j.versions++; j.versions >= maxVersions {
			return j.c.failed("copy", j.object.Key, ErrUnsteady)
		}
		j.object = now
		return nil
	}
	return j.standing.look(ctx)
}

// gone returns the failure of a copy whose source is gone, or another one if the source lists it all the same.
func (j *job) gone(ctx context.Context, failure error) error {
	still, err := j.isStillListed(ctx)
	switch {
	case err != nil:
		return err
	case still:
		return j.c.failed("look up", j.object.Key, fmt.Errorf("%w: ETag %s", ErrInconsistent, j.object.ETag))
	default:
		return failure
	}
}

// DestinationKey returns the key that the copy of a source key goes to, or an *ObjectError when S3 has no such key.
func (c *Copier) DestinationKey(key string) (string, error) {
	destination := c.o.SourcePlace.KeyTo(c.o.DestinationPlace, key)
	if n := len(destination); n == 0 || n > transfer.MaxKeyBytes {
		err := fmt.Errorf("%w: the prefix change makes it %d bytes long, S3 takes 1 to %d", ErrKeyUnrepresentable, n, transfer.MaxKeyBytes)
		return "", &ObjectError{Op: "copy", Bucket: c.o.SourcePlace.Bucket, Key: key, Err: err}
	}
	return destination, nil
}

// copyVersion copies the version that the job is at, or finds it copied.
func (j *job) copyVersion(ctx context.Context) (result Result, err error) {
	c := j.c
	size := c.o.PartSizeOf(j.object.Size)
	switch {
	case j.object.ETag == "":
		return Result{}, c.failed("copy", j.object.Key, errNoETag)
	case j.object.Size > transfer.MaxObject:
		return Result{}, c.failed("copy", j.object.Key, errTooLarge)
	}
	if err := j.upload.discardUnless(ctx, j.plannedUpload()); err != nil {
		return Result{}, err
	}
	result, adopted, err := j.admitted(ctx)
	if err != nil || adopted {
		return result, err
	}
	switch {
	case size > 0:
		result, err = j.copyParts(ctx)
	case c.o.Relay:
		result, err = j.relayWhole(ctx)
	default:
		result, err = j.copyWhole(ctx)
	}
	if err != nil {
		return Result{}, err
	}
	result.Notes = append(result.Notes, j.upload.notes...)
	return result, nil
}

// operation is the write that makes the copy.
func (j *job) operation() string {
	switch {
	case j.c.o.PartSizeOf(j.object.Size) > 0:
		return "CompleteMultipartUpload"
	case j.c.o.Relay:
		return "PutObject"
	default:
		return "CopyObject"
	}
}

// admitted decides whether the destination's key may be written. It returns the copy that is there already instead where
// there is one.
func (j *job) admitted(ctx context.Context) (result Result, adopted bool, err error) {
	s := j.standing
	if !s.looked && !j.c.conditions.isSure(j.operation()) {
		if err := s.look(ctx); err != nil {
			return Result{}, false, err
		}
	}
	if v := s.verdict(j.object); v.adopt {
		if result, adopted, err = j.adopt(ctx); err != nil || adopted {
			return result, adopted, err
		}
	}
	if s.verdict(j.object).foreign { // what was looked at may tell more
		return Result{}, false, s.foreign(j.object)
	}
	return Result{}, false, nil
}

// confirmed refuses a copy that is not under the configured key, whatever the reason: the ledger must never say so. S3 names
// the key in its answer. A service that does not is asked about the very version, or the very ETag, that it answered. So is
// one whose answer names what was there before, as a cache's would.
func (j *job) confirmed(ctx context.Context, r Result) (Result, error) {
	former := j.standing.known
	if j.standing.found != nil {
		former = j.standing.found.ETag
	}
	since := j.writtenSince()
	isFormer := former != "" && transfer.SameETag(r.DestinationETag, former)
	if r.KeyARN == "" || isFormer {
		in := &s3.HeadObjectInput{Key: &r.DestinationKey, IfMatch: &r.DestinationETag, VersionId: optional(r.DestinationVersionID)}
		copied, err := j.c.headCopy(ctx, in)
		if err == nil && isFormer && !notBefore(aws.ToTime(copied.LastModified), since) {
			err = errFormer
		}
		if err != nil {
			j.standing.answeredOddly(since)
			return Result{}, &ObjectError{Op: "look up copy", Bucket: j.c.o.DestinationPlace.Bucket, Key: r.DestinationKey, Err: err}
		}
		r.KeyARN, r.BucketKey = aws.ToString(copied.SSEKMSKeyId), aws.ToBool(copied.BucketKeyEnabled)
	}
	j.standing.wrote(r.DestinationETag, since)
	if plan.SameKey(r.KeyARN, j.c.o.KeyARN) {
		return r, nil
	}
	return Result{}, j.c.underAnotherKey(r.DestinationKey, r.KeyARN)
}

// finished confirms a copy, and gives it what could not come with it.
func (j *job) finished(ctx context.Context, d *draft, made Result) (Result, error) {
	made.Notes = d.notes
	made, err := j.confirmed(ctx, made)
	if err == nil {
		err = j.tagLate(ctx, d, made)
	}
	if err == nil {
		err = j.annotate(ctx, made)
	}
	if err != nil {
		return Result{}, err
	}
	return made, nil
}

// writtenSince is the time, by the destination's clock, from which the object that was just written is dated: a multipart
// upload's is its beginning (Amazon S3 User Guide, "Working with object metadata").
func (j *job) writtenSince() time.Time {
	if j.c.o.PartSizeOf(j.object.Size) > 0 {
		return j.upload.upload.BeganAt
	}
	return j.c.There(j.began)
}

func (c *Copier) underAnotherKey(key, answered string) error {
	err := fmt.Errorf("%w: the answer names %q, configured is %q", ErrWrongKey, answered, c.o.KeyARN)
	return &ObjectError{Op: "copy", Bucket: c.o.DestinationPlace.Bucket, Key: key, Err: err}
}
