package upload

import (
	"context"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"

	"syncd/internal/checkpoint/record"
	"syncd/internal/copier/request"
	"syncd/internal/listing"
	"syncd/internal/transfer"
)

// Draft provides the request that creates an upload.
type Draft interface {
	// Create returns the request and its options.
	Create() (*s3.CreateMultipartUploadInput, []func(*s3.Options))
	// DeferTags reports whether the request may have been refused for its tags. If so, DeferTags
	// arranges that the tags are set after the object is created.
	DeferTags(refused error) bool
	// TagsLate reports whether the tags are set after the object is created. SetTagsLate arranges
	// that the tags are set after the object is created.
	TagsLate() bool
	SetTagsLate()
}

// Target is the object's location at the destination. It decides whether the object may be written.
type Target interface {
	// Conditional sends the request that creates the object, with the condition that the location
	// requires.
	Conditional(ctx context.Context, operation string, send func(ctx context.Context, ifMatch, ifNoneMatch *string) error) error
	// Recheck checks the location again after a write was refused because its condition was false.
	// An error ends the copy.
	Recheck(ctx context.Context) error
	// Head returns the head of the object at the location.
	Head(ctx context.Context) (*s3.HeadObjectOutput, error)
	// IsKey reports whether a KMS key is the configured key. UnderKey returns an error if the
	// response names a different key.
	IsKey(answered *string) bool
	UnderKey(answered *string) error
	// Vanished is called for an upload that no longer exists: it may have been completed.
	Vanished(beganAt time.Time)
	// AnsweredOddly is called if the response to the completion was invalid, so that the object may
	// have been created.
	AnsweredOddly(beganAt time.Time)
}

// Copy is one object to create from parts.
type Copy struct {
	// Object is the version that is copied.
	Object listing.Object
	// Key is the object's key at the destination.
	Key string
	// PartSize is the size of every part except the last, in bytes.
	PartSize int64
	// Sum is the CRC64NVME that the source reports for the whole object, "" if none.
	Sum string
	// Planned is the upload record, without the fields that only the destination can provide.
	Planned record.Upload
	// Draft provides the request that creates the upload, Target is the object's location, and
	// Writer sends the writes.
	Draft  Draft
	Target Target
	Writer request.Writer
}

// Made is the object that the destination created from the parts.
type Made struct {
	// ETag and VersionID identify the object.
	ETag, VersionID string
	// KeyARN is the KMS key of the object, as the service reports it. BucketKey is true if an S3
	// Bucket Key was used.
	KeyARN    string
	BucketKey bool
	// Sum is the CRC64NVME that the service reports for the whole object, "" if none.
	Sum string
	// At is when the response that confirmed the object arrived.
	At time.Time
	// Parts is the number of parts. Resumed is the number of these parts that an earlier process
	// made.
	Parts, Resumed int
}

// upload is one upload in progress.
type upload struct {
	*Uploads
	Copy
	id string
	// parts are the finished parts by index, including parts made by an earlier process.
	parts   []types.CompletedPart
	resumed int
}

func (u *upload) failed(op string, err error) error {
	return &request.ObjectError{Op: op, Bucket: u.o.Source.Bucket, Key: u.Object.Key, Err: err}
}

// bounds returns the offset of a part in the object and its length, in bytes.
func (u *upload) bounds(index int) (first, length int64) {
	return transfer.Parts{Object: u.Object.Size, Size: u.PartSize}.Bounds(index)
}

// count returns how many parts are finished.
func (u *upload) count() (n int) {
	for _, p := range u.parts {
		if p.PartNumber != nil {
			n++
		}
	}
	return n
}
