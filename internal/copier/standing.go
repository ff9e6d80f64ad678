package copier

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"

	"syncd/internal/awserr"
	"syncd/internal/copier/precondition"
	"syncd/internal/copier/request"
	"syncd/internal/listing"
	"syncd/internal/plan"
	"syncd/internal/transfer"
)

// Target is what is known of the destination's key before a copy. The zero Target knows nothing,
// and takes whatever is there for somebody else's.
type Target struct {
	// Known is the ETag of the copy that the ledger knows, "" for none.
	Known string
	// Looked says that the destination was listed; Present is what it showed under the key, nil for
	// nothing.
	Looked  bool
	Present *listing.Object
	// Listed says that the source was listed, and showed the object after the key ListedAfter; ""
	// is the beginning.
	Listed      bool
	ListedAfter string
	// OursSince is the time, by the destination's clock, since when an object under the configured
	// key, or one of OursUnder, may be a copy that syncd made and could not record. Zero says that
	// there is none.
	OursSince time.Time
	OursUnder []string
}

// Ours is what of the destination's key is syncd's own, for the next attempt to know.
type Ours struct {
	// ETag is that of a copy that may still be there, "" for none.
	ETag string
	// Since is the time, by the destination's clock, since when a copy may have been made whose
	// answer was lost; zero says that none was.
	Since time.Time
}

// standing is what is known of the destination's key while an object is copied, and so under which
// condition it is written.
type standing struct {
	o     *Options
	at    *destination
	key   string
	known string
	since time.Time // what is newer, by the destination's clock, may be ours
	under []string  // keys that it may be under, besides the configured one
	begun time.Time // an upload of ours that is not there any more dates the object that it may have become
	tried time.Time // by this process's clock: when the first write was sent of which nobody knows what became; zero: none
	// found is what was there when it was looked at last, nil for nothing.
	looked bool
	found  *found
}

// found is an object at the destination.
type found struct {
	transfer.Version
	class string
	head  *s3.HeadObjectOutput // nil where a listing showed it, which tells neither its key nor its checksum
}

func newStanding(o *Options, at *destination, key string, t Target) *standing {
	s := &standing{o: o, at: at, key: key, known: t.Known, since: t.OursSince, under: t.OursUnder, looked: t.Looked}
	if t.Present != nil {
		s.found = &found{Version: t.Present.Version, class: t.Present.StorageClass}
	}
	return s
}

// verdict is what to do about the destination's key.
type verdict struct {
	condition precondition.Condition
	// adopt says that what is there may be the object's copy already, and foreign that it must not
	// be replaced if it is not.
	adopt, foreign bool
}

// verdict decides by what is known. What is ours is replaced at once where that takes no more
// requests than a look at it.
func (s *standing) verdict(object listing.Object) verdict {
	switch {
	case !s.looked && s.known != "":
		return verdict{condition: precondition.Condition{Match: s.known}}
	case !s.looked || s.found == nil:
		return verdict{condition: precondition.Condition{None: true}}
	}
	v := verdict{condition: precondition.Condition{Match: s.found.ETag}}
	isOurs := s.isOurs()
	if transfer.SameETag(s.found.ETag, s.known) || isOurs && s.isCheap(object) {
		return v
	}
	// Times alone prove little: a copy that is older than its source is none. One of ours may have
	// been made under other settings.
	v.adopt = s.found.Size == object.Size && !s.found.LastModified.Before(object.LastModified.Truncate(time.Second)) &&
		(!isOurs || s.o.HasClass(s.found.class))
	v.foreign = !isOurs && !s.o.OverwriteAny
	return v
}

// isCheap reports whether a copy of the object takes one request, or two where its tags are read:
// no more than a look at both sides.
func (s *standing) isCheap(object listing.Object) bool {
	return !s.o.Relay && !s.o.ObjectLock && s.o.PartSizeOf(object.Size) == 0
}

// isOurs reports whether what was found can only be a copy that was made here and could not be
// recorded.
func (s *standing) isOurs() bool {
	if s.found.head != nil && !s.isOurKey(aws.ToString(s.found.head.SSEKMSKeyId)) {
		return false
	}
	made := s.found.LastModified
	return notBefore(made, s.since) || notBefore(made, s.triedThere()) ||
		!s.begun.IsZero() && made.Truncate(time.Second).Equal(s.begun.Truncate(time.Second))
}

func (s *standing) isOurKey(arn string) bool {
	return plan.SameKey(arn, s.o.KeyARN) || slices.ContainsFunc(s.under, func(other string) bool { return plan.SameKey(arn, other) })
}

// notBefore compares times of which HTTP shows whole seconds. Nothing is newer than a zero time.
func notBefore(t, since time.Time) bool {
	return !since.IsZero() && !t.Before(since.Truncate(time.Second))
}

// wrote notes that a write was answered with that ETag: what it made is ours, whatever becomes of
// it, and what was found before is not there any more. So is what is newer than the write, by the
// destination's clock: the answer may have named another ETag than there is.
func (s *standing) wrote(etag string, at time.Time) {
	s.known, s.looked, s.found = etag, false, nil
	s.oursSince(at)
}

// answeredOddly notes that a write of that time, by the destination's clock, was answered with what
// cannot be of it: it may have been made, or what was there before is there still.
func (s *standing) answeredOddly(at time.Time) { s.oursSince(at) }

func (s *standing) oursSince(at time.Time) {
	if s.since.IsZero() || at.Before(s.since) {
		s.since = at
	}
}

// mayHaveWritten notes that a write was sent at that time of which nobody knows what became.
func (s *standing) mayHaveWritten(at time.Time) {
	if s.tried.IsZero() || at.Before(s.tried) {
		s.tried = at
	}
}

// triedThere is tried by the destination's clock.
func (s *standing) triedThere() time.Time {
	if s.tried.IsZero() {
		return time.Time{}
	}
	return s.at.there(s.tried)
}

// ours is what the next attempt has to know.
func (s *standing) ours() Ours {
	since := s.triedThere()
	if since.IsZero() || !s.since.IsZero() && s.since.Before(since) {
		since = s.since
	}
	return Ours{ETag: s.known, Since: since}
}

// look asks what is there. A role that may not read there may list.
func (s *standing) look(ctx context.Context) error {
	head, err := s.at.head(ctx, &s3.HeadObjectInput{Key: &s.key})
	switch awserr.Classify(err) { //nolint:exhaustive // the answers that tell what is there
	case "":
		s.looked, s.found = true, foundOf(head)
		return nil
	case awserr.Gone:
		s.looked, s.found = true, nil
		return nil
	case awserr.Denied:
		listed, ok, listErr := s.at.lookup(ctx, s.key)
		if listErr == nil {
			s.looked, s.found = true, nil
			if ok {
				s.found = &found{Version: listed.Version, class: listed.StorageClass}
			}
			return nil
		}
	}
	return &request.ObjectError{Op: "look up copy", Bucket: s.o.DestinationPlace.Bucket, Key: s.key, Err: err}
}

func foundOf(head *s3.HeadObjectOutput) *found {
	return &found{
		Version: transfer.Version{
			ETag: aws.ToString(head.ETag), Size: aws.ToInt64(head.ContentLength), LastModified: aws.ToTime(head.LastModified),
			ID: aws.ToString(head.VersionId),
		},
		class: string(head.StorageClass), head: head,
	}
}

// foreign is the failure of a copy whose place is taken by what syncd neither wrote nor may adopt.
func (s *standing) foreign(object listing.Object) error {
	return &request.ObjectError{
		Op: "copy", Bucket: s.o.SourcePlace.Bucket, Key: object.Key,
		Err: fmt.Errorf("%w: s3://%s/%q, %d bytes of %s, ETag %s", ErrForeign, s.o.DestinationPlace.Bucket, s.key,
			s.found.Size, s.found.LastModified.UTC().Format(time.RFC3339), s.found.ETag),
		Hint: "remove it, let syncd replace such objects (copy.overwrite: any), or claim the destination once (backfill --take-over)",
	}
}
