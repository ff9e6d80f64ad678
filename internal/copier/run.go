package copier

import (
	"context"
	"fmt"

	"syncd/internal/awserr"
	"syncd/internal/listing"
	"syncd/internal/transfer"
)

const (
	// maxVersions bounds how often a copy follows a source that is overwritten during the copy, and
	// maxRounds how often it is tried in all, with what else it may meet at the destination.
	maxVersions = 3
	maxRounds   = 6
)

// run copies the object until it is copied, or cannot be.
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
			return Result{}, j.doubts.alone(ctx, j.object.Key, err)
		}
	}
	if awserr.Classify(failure) == awserr.Conflict {
		return Result{}, failure
	}
	// The class of the failure is left out: it must not call an object gone that is still there.
	return Result{}, j.failed("copy", j.object.Key, fmt.Errorf("%w: %s", ErrUnsteady, awserr.Brief(failure)))
}

// askBoth looks at the source and the destination after a refusal. An error ends the copy, with
// class gone if there is no source any more.
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

// ended returns the failure of one attempt, with what becomes of its upload.
func (j *job) ended(ctx context.Context, err error) error {
	failure := j.doubts.alone(ctx, j.object.Key, err)
	return j.upload.Failed(ctx, failure, awserr.Class(Reason(failure)))
}

// look returns the source object as it is now.
func (j *job) look(ctx context.Context) (listing.Object, error) {
	now, err := j.source.look(ctx, j.object.Key)
	return now, j.doubts.alone(ctx, j.object.Key, err)
}

// gone returns the failure of a copy whose source is gone, or another one if the source lists it
// all the same.
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

// copyVersion copies the version that the job is at, or finds it copied.
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

// admitted decides whether the destination's key may be written. It returns the copy that is there
// already instead where there is one.
func (j *job) admitted(ctx context.Context) (result Result, adopted bool, err error) {
	s := j.standing
	if !s.looked && !j.conditions.IsSure(j.operation()) {
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
