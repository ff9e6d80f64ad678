// Package upload manages the life of a multipart upload: it is created or taken over, its parts are
// made in parallel, and it is completed into an object, kept for a later attempt or aborted.
//
// It guarantees that an upload is recorded before its first part is made, and that the record is
// removed only when the upload has ended, so that the record and the destination always agree.
// Every part contains content of the requested version. Parts of an earlier process are used only
// if they are equal to the parts that this process would make. After a failure an upload is kept if
// another attempt will resume it, and aborted otherwise. [Uploads.Sweep] aborts uploads that no
// record names.
//
// Other packages decide whether an object is copied in parts (transfer), with which properties the
// upload is created and with which condition it is completed (copier), how bytes are read
// (content), and what is recorded (checkpoint).
//
// Terms: an upload is taken over when this process resumes an upload that another process began. An
// upload is lost if it may have begun but its ID is unknown.
package upload

import (
	"context"
	"sync/atomic"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/s3"

	"syncd/internal/awserr"
	"syncd/internal/checkpoint/record"
	"syncd/internal/copier/content"
	"syncd/internal/copier/request"
	"syncd/internal/deadline"
	"syncd/internal/transfer"
)

// abortTimeout limits the time for aborting an upload after its copy failed or was canceled.
const abortTimeout = 10 * time.Second

// API is the part of the S3 client that uploads use. An *s3.Client satisfies it.
type API interface {
	CreateMultipartUpload(ctx context.Context, in *s3.CreateMultipartUploadInput, opts ...func(*s3.Options)) (*s3.CreateMultipartUploadOutput, error)
	UploadPart(ctx context.Context, in *s3.UploadPartInput, opts ...func(*s3.Options)) (*s3.UploadPartOutput, error)
	UploadPartCopy(ctx context.Context, in *s3.UploadPartCopyInput, opts ...func(*s3.Options)) (*s3.UploadPartCopyOutput, error)
	ListParts(ctx context.Context, in *s3.ListPartsInput, opts ...func(*s3.Options)) (*s3.ListPartsOutput, error)
	CompleteMultipartUpload(ctx context.Context, in *s3.CompleteMultipartUploadInput, opts ...func(*s3.Options)) (*s3.CompleteMultipartUploadOutput, error)
	AbortMultipartUpload(ctx context.Context, in *s3.AbortMultipartUploadInput, opts ...func(*s3.Options)) (*s3.AbortMultipartUploadOutput, error)
	ListMultipartUploads(ctx context.Context, in *s3.ListMultipartUploadsInput, opts ...func(*s3.Options)) (*s3.ListMultipartUploadsOutput, error)
}

// Options are the settings of Uploads.
type Options struct {
	// API writes with the destination's credentials.
	API API
	// Source is the location of the objects, and Destination the location of the uploads.
	Source, Destination transfer.Place
	// Relay means that parts are made from content that Content reads into Memory. Otherwise the
	// service copies them.
	Relay   bool
	Content content.Source
	Memory  *content.Member
	// Requests sends requests without an effect at the destination.
	Requests *request.Sender
	// Initiator is the ARN of the role whose sessions begin uploads, "" if unknown; without it
	// Sweep does nothing. Session is the name of these sessions, "" for any.
	Initiator, Session string
	// Now is the clock.
	Now func() time.Time
}

// Uploads are the uploads of one mapping.
type Uploads struct {
	o    Options
	crc  content.Checksummer
	lost atomic.Bool // an upload with an unknown ID may have begun
}

// New returns the uploads of a mapping.
func New(o Options) *Uploads { return &Uploads{o: o, crc: content.NewChecksummer()} }

// Lost reports whether the response to the creation of an upload was lost since the last call of
// Lost. Such an upload may have begun, but its ID is unknown, so only Sweep finds it.
func (u *Uploads) Lost() bool { return u.lost.Swap(false) }

// Abort aborts an unfinished upload. It returns nil if the upload no longer exists. It needs no
// slot and takes at most ten seconds.
func (u *Uploads) Abort(ctx context.Context, begun record.Upload) error {
	in := &s3.AbortMultipartUploadInput{Bucket: &begun.Bucket, Key: &begun.DestinationKey, UploadId: &begun.ID}
	if begun.Bucket == u.o.Destination.Bucket {
		in.ExpectedBucketOwner = u.o.Destination.ExpectedOwner()
	}
	err := deadline.Do(ctx, abortTimeout, func(ctx context.Context) error {
		_, err := u.o.API.AbortMultipartUpload(ctx, in)
		return err
	})
	if err == nil || awserr.Classify(err) == awserr.Gone {
		return nil
	}
	return &request.ObjectError{Op: "abort upload " + begun.ID + " of", Bucket: begun.Bucket, Key: begun.DestinationKey, Err: err}
}
