package copier

import (
	"context"
	"fmt"

	"syncd/internal/awserr"
	"syncd/internal/listing"
	"syncd/internal/transfer"
)

const (
	// maxVersions is the maximum number of source versions that a copy tries if the source is
	// overwritten during the copy. maxRounds is the maximum number of attempts, including attempts
	// after changes at the destination.
	maxVersions = 3
	maxRounds   = 6
)

// run copies the object. It repeats the attempt if the source or the destination has changed.
func (j *job) run(ctx context.Context) (Result, error) {
	var failure error
	for range maxRounds {
		var result Result
		err := j.guard(j.object.Key, func() (err error) {
			result, err = j.copyVersion(ctx)
			return err
		})
		if err == nil {
			return result, nil
		}
		failure = j.ended(ctx, err)
		if awserr.Classify(failure) == awserr.Denied && j.source.isAbsent(ctx, j.object.Key, failure) {
			return Result{}, j.gone(ctx, j.failed("copy", j.object.Key, errGone))
		}
		if !refused(failure) {
			return Result{}, failure
		}
		if err := j.askBoth(ctx); err != nil {
			return Result{}, j.doubts.Alone(ctx, j.object.Key, err)
		}
	}
	if awserr.Classify(failure) == awserr.Conflict {
		return Result{}, failure
	}
	// Hide the class of the failure, so that an object that still exists is not reported as gone.
	return Result{}, j.failed("copy", j.object.Key, fmt.Errorf("%w: %s", ErrUnsteady, awserr.Brief(failure)))
}

// askBoth checks the source and the destination after a refusal. An error ends the copy; it has
// class gone if the source no longer exists.
func (j *job) askBoth(ctx context.Context) error {
	now, err := j.look(ctx)
	if awserr.Classify(err) == awserr.Gone {
		err = j.gone(ctx, err)
	}
	if err != nil {
		return err
	}
	if !now.Same(j.object.Version) {
		if j.versions++; j.versions >= maxVersions {
			return j.failed("copy", j.object.Key, ErrUnsteady)
		}
		j.object = now
		return nil
	}
	return j.standing.look(ctx)
}

// ended decides what happens to the upload after a failed attempt, and returns the failure.
func (j *job) ended(ctx context.Context, err error) error {
	failure := j.doubts.Alone(ctx, j.object.Key, err)
	return j.upload.Failed(ctx, failure, awserr.Class(Reason(failure)))
}

// look returns the current source object.
func (j *job) look(ctx context.Context) (listing.Object, error) {
	now, err := j.source.look(ctx, j.object.Key)
	return now, j.doubts.Alone(ctx, j.object.Key, err)
}

// gone returns the failure of a copy whose source no longer exists, or ErrInconsistent if the
// source still lists it.
func (j *job) gone(ctx context.Context, failure error) error {
	still, err := false, error(nil)
	if j.target.Listed {
		still, err = j.source.isStillListed(ctx, j.object.Key, j.target.ListedAfter)
	}
	switch {
	case err != nil:
		return err
	case still:
		return j.failed("look up", j.object.Key, fmt.Errorf("%w: ETag %s", ErrInconsistent, j.object.ETag))
	default:
		return failure
	}
}

// copyVersion copies the job's current version, or finds that it is already copied.
func (j *job) copyVersion(ctx context.Context) (result Result, err error) {
	size := j.o.PartSizeOf(j.object.Size)
	switch {
	case j.object.ETag == "":
		return Result{}, j.failed("copy", j.object.Key, errNoETag)
	case j.object.Size > transfer.MaxObject:
		return Result{}, j.failed("copy", j.object.Key, errTooLarge)
	}
	if err := j.upload.DiscardUnless(ctx, j.plannedUpload()); err != nil {
		return Result{}, err
	}
	result, adopted, err := j.admitted(ctx)
	if err != nil || adopted {
		return result, err
	}
	switch {
	case size > 0:
		result, err = j.copyParts(ctx)
	case j.o.Relay:
		result, err = j.relayWhole(ctx)
	default:
		result, err = j.copyWhole(ctx)
	}
	if err != nil {
		return Result{}, err
	}
	result.Notes = append(result.Notes, j.upload.Notes()...)
	return result, nil
}

// admitted checks whether the destination's key may be written. If the copy is already there, it
// returns the copy as adopted.
func (j *job) admitted(ctx context.Context) (result Result, adopted bool, err error) {
	s := j.standing
	if !s.hasHead() && !j.conditions.IsSure(j.operation()) { // a listing may be long ago
		if err := s.look(ctx); err != nil {
			return Result{}, false, err
		}
	}
	if v := s.verdict(j.object); v.adopt {
		if result, adopted, err = j.adopt(ctx); err != nil || adopted {
			return result, adopted, err
		}
	}
	if s.verdict(j.object).foreign { // decide again: the head that adopt read shows the KMS key
		return Result{}, false, s.foreign(j.object)
	}
	return Result{}, false, nil
}
