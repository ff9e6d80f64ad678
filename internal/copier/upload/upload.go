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

// Draft is what an upload is created with.
type Draft interface {
	// Create returns the request, and the options that it is sent with.
	Create() (*s3.CreateMultipartUploadInput, []func(*s3.Options))
	// DeferTags reports whether the request may have been refused for its tags, and has these set
	// late then.
	DeferTags(refused error) bool
	// TagsLate reports whether the tags are to be set once the object is there, and SetTagsLate
	// says that they are.
	TagsLate() bool
	SetTagsLate()
}

// Target is the place of the object at the destination, and decides what may happen there.
type Target interface {
	// Conditional sends the request that makes the object, under the condition that its place asks
	// for.
	Conditional(ctx context.Context, operation string, send func(ctx context.Context, ifMatch, ifNoneMatch *string) error) error
	// Recheck looks at the place again after a condition did not hold. An error ends the copy.
	Recheck(ctx context.Context) error
	// Head asks what is there.
	Head(ctx context.Context) (*s3.HeadObjectOutput, error)
	// IsKey reports whether a KMS key is the configured one, and UnderKey refuses what is answered
	// to be under another one.
	IsKey(answered *string) bool
	UnderKey(answered *string) error
	// Vanished is called for an upload that is not there any more: it may have been completed.
	Vanished(beganAt time.Time)
	// AnsweredOddly is called when the object may have been made of the upload, and the answer
	// cannot be of it.
	AnsweredOddly(beganAt time.Time)
}

// Copy is one object to be made of parts.
type Copy struct {
	// Object is the version that is copied.
	Object listing.Object
	// Key is its key at the destination.
	Key string
	// PartSize is the size of every part but the last, in bytes.
	PartSize int64
	// Sum is the CRC64NVME of the whole object that the source says, "" where it says none.
	Sum string
	// Planned is the upload as it would be recorded, but for what only the destination can tell.
	Planned record.Upload
	// Draft, Target and Writer are what the upload is created with, its place, and what sends its
	// writes.
	Draft  Draft
	Target Target
	Writer request.Writer
}

// Made is the object that the destination has made of the parts.
type Made struct {
	// ETag and VersionID name it.
	ETag, VersionID string
	// KeyARN is the KMS key that the service says it is encrypted with; BucketKey says that an S3
	// Bucket Key was used.
	KeyARN    string
	BucketKey bool
	// Sum is the CRC64NVME of the whole that the service says, "" for none.
	Sum string
	// At is when it was confirmed.
	At time.Time
	// Parts is the number of parts, Resumed how many of them an earlier process had made.
	Parts, Resumed int
}

// upload is one upload in progress.
type upload struct {
	*Uploads
	Copy
	id string
	// parts are the finished ones by their index; those of an earlier process come first.
	parts   []types.CompletedPart
	resumed int
}

func (u *upload) failed(op string, err error) error {
	return &request.ObjectError{Op: op, Bucket: u.o.Source.Bucket, Key: u.Object.Key, Err: err}
}

// bounds returns where a part begins in the object and how long it is, in bytes.
func (u *upload) bounds(index int) (first, length int64) {
	return transfer.Parts{Object: u.Object.Size, Size: u.PartSize}.Bounds(index)
}

// count returns how many parts there are.
func (u *upload) count() (n int) {
	for _, p := range u.parts {
		if p.PartNumber != nil {
			n++
		}
	}
	return n
}
