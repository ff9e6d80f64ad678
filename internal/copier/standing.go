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

// Target describes what is known about the destination's key before a copy. The zero Target means
// that nothing is known, and that an object at the destination counts as foreign.
type Target struct {
	// Known is the ETag of the copy in the ledger, "" for none.
	Known string
	// Looked means that the destination was listed. Present is the listed object under the key, nil
	// if there is none.
	Looked  bool
	Present *listing.Object
	// Listed means that the source was listed. ListedAfter is the key that the listing returned
	// before the object's key; "" means that the object was the first.
	Listed      bool
	ListedAfter string
	// OursSince is a time by the destination's clock. An object newer than OursSince and encrypted
	// with the configured KMS key, or with a key in OursUnder, may be a copy that syncd made but
	// could not record. The zero time means that there is no such copy.
	OursSince time.Time
	OursUnder []string
	// IsDamaged means that an inspection found differences in the listed object, so that it is not
	// adopted.
	IsDamaged bool
}

// Ours describes what syncd may have written at the destination's key. Pass it to the next attempt
// in its Target.
type Ours struct {
	// ETag is the ETag of a copy that may still exist, "" for none.
	ETag string
	// Since is the earliest time, by the destination's clock, of a copy whose response was lost;
	// zero means none.
	Since time.Time
}

// standing contains what is known about the destination's key during a copy. It determines the
// condition for the write.
type standing struct {
	o     *Options
	at    *destination
	key   string
	known string
	since time.Time // objects newer than this time, by the destination's clock, may have been written by syncd
	under []string  // KMS keys, besides the configured key, with which objects written by syncd may be encrypted
	begun time.Time // start of a vanished upload of syncd, which is the date of its object
	tried time.Time // when the first write with unknown outcome was sent, by this process's clock; zero if there is none
	// found is the object seen by the last check, nil for none.
	looked bool
	found  *found
	// isDamaged means that the listed object is not adopted.
	isDamaged bool
}

// found is an object at the destination.
type found struct {
	transfer.Version
	class string
	head  *s3.HeadObjectOutput // nil if the object is known from a listing, which shows no KMS key and no checksum
}

func newStanding(o *Options, at *destination, key string, t Target) *standing {
	s := &standing{o: o, at: at, key: key, known: t.Known, since: t.OursSince, under: t.OursUnder, looked: t.Looked, isDamaged: t.IsDamaged}
	if t.Present != nil {
		s.found = &found{Version: t.Present.Version, class: t.Present.StorageClass}
	}
	return s
}

// hasHead reports whether the object at the key was looked up by a request of its own.
func (s *standing) hasHead() bool { return s.found != nil && s.found.head != nil }

// verdict is the decision what to do about the object at the destination's key.
type verdict struct {
	condition precondition.Condition
	// adopt means that the object at the destination may already be the copy. foreign means that
	// the object must not be replaced if it is not the copy.
	adopt, foreign bool
}

// verdict decides without a request. An object that syncd wrote is replaced without a check if the
// check would take at least as many requests as the copy.
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
	// Times are weak evidence, but an object older than its source cannot be its copy. An object
	// that syncd wrote may have been made under other settings.
	v.adopt = !s.isDamaged && s.found.Size == object.Size && !s.found.LastModified.Before(object.LastModified.Truncate(time.Second)) &&
		(!isOurs || s.o.HasClass(s.found.class))
	v.foreign = !isOurs && !s.o.OverwriteAny
	return v
}

// isCheap reports whether a copy of the object takes no more requests than checking both sides: one
// request, or two if tags are read.
func (s *standing) isCheap(object listing.Object) bool {
	return !s.o.Relay && !s.o.ObjectLock && s.o.PartSizeOf(object.Size) == 0
}

// isOurs reports whether the object found must be a copy that syncd made but could not record.
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

// notBefore reports whether t is at or after since. HTTP truncates times to whole seconds, so
// notBefore truncates since too. It returns false if since is zero.
func notBefore(t, since time.Time) bool {
	return !since.IsZero() && !t.Before(since.Truncate(time.Second))
}

// wrote records that a write returned etag. From now on the written object belongs to syncd, and
// the object found before no longer exists. An object newer than at, by the destination's clock,
// also belongs to syncd, because the response may have contained a wrong ETag.
func (s *standing) wrote(etag string, at time.Time) {
	s.known, s.looked, s.found = etag, false, nil
	s.oursSince(at)
}

// answeredOddly records that a write at the time at, by the destination's clock, got an invalid
// response. Either the object was created, or the previous object still exists.
func (s *standing) answeredOddly(at time.Time) { s.oursSince(at) }

func (s *standing) oursSince(at time.Time) {
	if s.since.IsZero() || at.Before(s.since) {
		s.since = at
	}
}

// mayHaveWritten records that a write whose outcome is unknown was sent at the time at.
func (s *standing) mayHaveWritten(at time.Time) {
	if s.tried.IsZero() || at.Before(s.tried) {
		s.tried = at
	}
}

// triedThere returns the field tried, converted to the destination's clock.
func (s *standing) triedThere() time.Time {
	if s.tried.IsZero() {
		return time.Time{}
	}
	return s.at.there(s.tried)
}

// ours returns what the next attempt must know about objects of syncd at the destination's key.
func (s *standing) ours() Ours {
	since := s.triedThere()
	if since.IsZero() || !s.since.IsZero() && s.since.Before(since) {
		since = s.since
	}
	return Ours{ETag: s.known, Since: since}
}

// look checks the destination's key. If the role has no permission to read the object, look lists
// the key instead.
func (s *standing) look(ctx context.Context) error {
	head, err := s.at.head(ctx, &s3.HeadObjectInput{Key: &s.key})
	switch awserr.Classify(err) { //nolint:exhaustive // the responses that show which object exists
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

// foreign returns the error for a copy whose key is taken by an object that syncd did not write and
// must not adopt.
func (s *standing) foreign(object listing.Object) error {
	return &request.ObjectError{
		Op: "copy", Bucket: s.o.SourcePlace.Bucket, Key: object.Key,
		Err: fmt.Errorf("%w: s3://%s/%q, %d bytes of %s, ETag %s", ErrForeign, s.o.DestinationPlace.Bucket, s.key,
			s.found.Size, s.found.LastModified.UTC().Format(time.RFC3339), s.found.ETag),
		Hint: "remove it, allow syncd to replace such objects (copy.overwrite: any), or take over the destination once (backfill --take-over)",
	}
}
