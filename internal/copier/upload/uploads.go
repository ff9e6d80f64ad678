// Package upload is the life of a multipart upload: created or taken over, its parts made side by
// side, completed into an object, kept for a later attempt or aborted.
//
// It promises that an upload is recorded before its first part is made and forgotten only when it
// has ended, so that the record and the destination never tell different stories; that every part
// is of the version that was asked for; and that parts of an earlier process are used only as far
// as they are what this one would make. An upload that fails resumes from the parts already made
// where another attempt will come, and is aborted otherwise. [Uploads.Sweep] finds those that no
// record names.
//
// It leaves to others whether an object goes in parts (transfer), what the upload is created with
// and under which condition it is completed (copier), the bytes (content), and what is recorded
// (checkpoint).
//
// Two words: an upload is taken over when this process resumes what another began; it is lost when
// it may have begun and its id is not known.
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

// abortTimeout bounds the clean-up of an upload after its copy failed or was canceled.
const abortTimeout = 10 * time.Second

// API is what uploads ask of S3. An *s3.Client is one.
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
	// Source is where objects come from, and Destination where uploads are.
	Source, Destination transfer.Place
	// Relay makes parts of what Content reads into Memory; else the service copies them.
	Relay   bool
	Content content.Source
	Memory  *content.Member
	// Requests sends those that have no effect at the destination.
	Requests *request.Sender
	// Initiator is the ARN of the role whose sessions begin uploads, "" when it is not known; Sweep
	// needs it. Session is the name of these sessions, "" for any.
	Initiator, Session string
	// Now is the clock.
	Now func() time.Time
}

// Uploads are the uploads of one mapping.
type Uploads struct {
	o    Options
	crc  content.Checksummer
	lost atomic.Bool // an upload may have begun of which nobody knows the id
}

// New returns the uploads of a mapping.
func New(o Options) *Uploads { return &Uploads{o: o, crc: content.NewChecksummer()} }

// Lost reports whether an upload may have begun whose id was lost with an answer, since it was
// asked last. Only Sweep finds it.
func (u *Uploads) Lost() bool { return u.lost.Swap(false) }

// Abort removes an unfinished upload with its parts. One that is gone is removed. It waits for no
// slot, and ten seconds at most.
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
