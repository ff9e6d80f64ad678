// Package copier carries out one copy: an action of the plan in, a result with its proof out.
//
// It promises that what it reports as copied is one version of the source, whole, under the configured KMS key. Every
// request is pinned to the ETag that was listed, so that an object overwritten under way is copied again from its newest
// version and never mixed from two; the key ARN that the service answers is compared with the configured one; the
// expected owner is sent for both buckets. Up to 5 GiB an object costs exactly one request; above, and where two roles
// are needed, content goes in parts side by side, or from one stream where a source answers no ranges. An upload of parts
// that is cut short by a drain, a dead session, a killed process or an outage goes on where it stood when it was remembered;
// every other failure aborts it, and SweepUploads finds what nobody remembered.
//
// It leaves to others which objects to copy, in what order and how many at once (the syncer), and what to remember of it
// (the ledger, behind [UploadRecord]). It never logs and counts nothing.
//
// Three words: server-side means that S3 moves the bytes and none passes through this process; a slot is the right to have
// one request under way; to take over an upload is to go on with one that another process began.
package copier

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"

	"syncd/internal/awserr"
	"syncd/internal/listing"
	"syncd/internal/plan"
)

const (
	// MaxCopyObject is the largest object that one CopyObject takes, in bytes (Amazon S3 API Reference, CopyObject: 5 GB,
	// which S3 counts as 5 GiB).
	MaxCopyObject int64 = plan.MaxCopyObject
	// maxKeyBytes is the longest key in bytes of UTF-8 (Amazon S3 User Guide, "Naming Amazon S3 objects").
	maxKeyBytes = 1024
	// maxVersions bounds how often a copy follows a source that is overwritten under its hands.
	maxVersions = 3
)

// Copier copies objects from one bucket to another.
type Copier struct {
	o      Options
	crc    checksummer
	memory *member // of Options.Buffers
}

// New returns a Copier.
func New(o Options) *Copier {
	if o.Now == nil {
		o.Now = time.Now
	}
	c := &Copier{o: o, crc: newChecksummer()}
	if o.Relay {
		c.memory = o.Buffers.member()
	}
	return c
}

// Result is a copy that the destination has confirmed.
type Result struct {
	// Object is the source version that was copied: the listed one, or a newer one when it was overwritten meanwhile.
	Object listing.Object
	// DestinationKey, DestinationETag and DestinationVersionID name the copy; the version is empty without versioning.
	DestinationKey, DestinationETag, DestinationVersionID string
	// KeyARN is the KMS key that the service says the copy lies under.
	KeyARN string
	// BucketKey says that an S3 Bucket Key was used.
	BucketKey bool
	// Checksum is the checksum that the service answered, as "algorithm:base64"; empty when it answered none.
	Checksum string
	// Parts is the number of parts, 0 for a copy in one piece; Resumed is how many of them an earlier process had made.
	Parts, Resumed int
	// CopiedAt is when the answer came.
	CopiedAt time.Time
	// Notes tell what is worth knowing although the copy succeeded: the Note constants, each at most once. A server-side
	// copy in one piece, which never looks at its source, has none.
	Notes []string
}

// The notes of a Result.
const (
	// NoteRedirectDropped says that the source redirects to a website address, which is not copied.
	NoteRedirectDropped = "website_redirect_dropped"
	// NoteStartedAnew says that an upload of an earlier process could not be taken over, and its parts were made again.
	NoteStartedAnew = "upload_started_anew"
	// NoteUploadStays says that an earlier upload could not be aborted and costs storage until SweepUploads or a lifecycle
	// rule removes it.
	NoteUploadStays = "upload_stays"
)

// Copy copies one object and returns what the destination answered. An error is an *ObjectError.
//
// A source that is overwritten meanwhile is looked up and copied again in its newest version, a few times, before it ends
// with ErrUnsteady; one that vanished ends with class gone. An upload of parts is told to uploads, and one that uploads
// knows is taken over when it is of this very copy, or else aborted; nil remembers nothing. An upload whose copy ended
// because ctx did, or with an error that awserr.Fatal ends the mapping for, stays as it is for another attempt. So does one
// whose copy was throttled or met a fault of the service or the network, where uploads keeps it and there is something in it
// to keep: a part that this attempt made, or those of an earlier one for up to a week. After any other failure it is aborted.
//
// A panic is a failure like any other, a *PanicError.
func (c *Copier) Copy(ctx context.Context, object listing.Object, uploads UploadRecord) (result Result, err error) {
	err = c.guard(object.Key, func() (err error) {
		result, err = c.copyNewest(ctx, object, uploads)
		return err
	})
	return result, err
}

func (c *Copier) copyNewest(ctx context.Context, object listing.Object, uploads UploadRecord) (Result, error) {
	key, err := c.DestinationKey(object.Key)
	if err != nil {
		return Result{}, err
	}
	u := c.remember(uploads)
	for range maxVersions {
		var result Result
		failure := c.guard(object.Key, func() (err error) {
			result, err = c.copyVersion(ctx, object, key, u)
			return err
		})
		if failure == nil {
			return result, nil
		}
		err = u.settle(ctx, failure)
		if awserr.Classify(err) == awserr.Conflict {
			continue
		}
		if !moved(err) {
			return Result{}, err
		}
		if object, err = c.Look(ctx, object.Key); err != nil {
			return Result{}, err
		}
		// The class of the failure is left behind: it must not call an object gone that is still there.
		err = c.failed("copy", object.Key, fmt.Errorf("%w: %s", ErrUnsteady, awserr.Brief(failure)))
	}
	return Result{}, err
}

// moved reports whether the copy failed because its source is not what it was. What a service calls gone may as well be
// the upload, removed by somebody else.
func moved(err error) bool {
	class := awserr.Classify(err)
	return class == awserr.Precondition || class == awserr.Gone || errors.Is(err, errMoved)
}

// DestinationKey returns the key that the copy of a source key goes to, or an *ObjectError when S3 has no such key.
func (c *Copier) DestinationKey(key string) (string, error) {
	destination := c.o.DestinationPrefix + strings.TrimPrefix(key, c.o.SourcePrefix)
	if n := len(destination); n == 0 || n > maxKeyBytes {
		err := fmt.Errorf("%w: the prefix change makes it %d bytes long, S3 takes 1 to %d", ErrKeyUnrepresentable, n, maxKeyBytes)
		return "", &ObjectError{Op: "copy", Bucket: c.o.SourceBucket, Key: key, Err: err}
	}
	return destination, nil
}

func (c *Copier) copyVersion(ctx context.Context, object listing.Object, key string, u *remembered) (result Result, err error) {
	if object.ETag == "" {
		return Result{}, c.failed("copy", object.Key, errNoETag)
	}
	if object.Size > plan.MaxParts*plan.MaxPartSize {
		return Result{}, c.failed("copy", object.Key, errTooLarge)
	}
	if err := u.discardUnless(ctx, c.plannedUpload(object, key)); err != nil {
		return Result{}, err
	}
	switch {
	case c.partSizeOf(object.Size) > 0:
		result, err = c.copyParts(ctx, object, key, u)
	case c.o.Relay:
		result, err = c.relayWhole(ctx, object, key)
	default:
		result, err = c.copyWhole(ctx, object, key)
	}
	if err != nil {
		return Result{}, err
	}
	result.Notes = append(result.Notes, u.notes...)
	return result, nil
}

// partSizeOf returns the size of the parts that an object of that size is copied in, 0 for one that goes in one piece.
func (c *Copier) partSizeOf(size int64) int64 {
	terms := plan.Terms{Relay: c.o.Relay, MultipartAbove: c.o.MultipartAbove, PartSize: c.o.PartSize}
	if c.o.Relay {
		terms.RelayMemory = c.o.Buffers.size
	}
	return terms.PartSizeOf(size)
}

// storageClass is the class that the copy of an object gets.
func (c *Copier) storageClass(object listing.Object) types.StorageClass {
	if !c.o.KeepStorageClass {
		return types.StorageClass(c.o.StorageClass)
	}
	switch class := types.StorageClass(object.StorageClass); class { //nolint:exhaustive // a closed list of what can be written directly
	case types.StorageClassReducedRedundancy, types.StorageClassStandardIa, types.StorageClassOnezoneIa, types.StorageClassIntelligentTiering,
		types.StorageClassGlacierIr, types.StorageClassGlacier, types.StorageClassDeepArchive:
		return class
	default:
		return types.StorageClassStandard
	}
}

// confirmed refuses a copy that does not lie under the configured key, whatever the reason: the ledger must never say so.
// S3 names the key in its answer. A service that does not is asked for it, of the very version where there are versions.
func (c *Copier) confirmed(ctx context.Context, r Result) (Result, error) {
	if r.KeyARN == "" {
		copied, err := c.headCopy(ctx, &s3.HeadObjectInput{Key: &r.DestinationKey, VersionId: optional(r.DestinationVersionID)})
		if err != nil {
			return Result{}, &ObjectError{Op: "look up copy", Bucket: c.o.DestinationBucket, Key: r.DestinationKey, Err: err}
		}
		r.KeyARN, r.BucketKey = aws.ToString(copied.SSEKMSKeyId), aws.ToBool(copied.BucketKeyEnabled)
	}
	if plan.SameKey(r.KeyARN, c.o.KeyARN) {
		return r, nil
	}
	return Result{}, c.underAnotherKey(r.DestinationKey, r.KeyARN)
}

func (c *Copier) underAnotherKey(key, answered string) error {
	err := fmt.Errorf("%w: the answer names %q, configured is %q", ErrWrongKey, answered, c.o.KeyARN)
	return &ObjectError{Op: "copy", Bucket: c.o.DestinationBucket, Key: key, Err: err}
}
