package content

import (
	"bytes"
	"context"
	"errors"
	"io"

	"github.com/aws/aws-sdk-go-v2/feature/s3/manager"
	"github.com/aws/aws-sdk-go-v2/service/s3"

	"syncd/internal/copier/request"
	"syncd/internal/transfer"
)

// newUploader returns an uploader with parts of exactly partSize bytes.
//
//nolint:staticcheck // its successor, feature/s3/transfermanager, is still at v0
func newUploader(destination manager.UploadAPIClient, partSize int64, parts provider) *manager.Uploader {
	return manager.NewUploader(destination, func(m *manager.Uploader) {
		m.PartSize, m.Concurrency, m.BufferProvider = partSize, streamWriters, parts
		// MaxUploadParts is one more than S3 allows, because the uploader enlarges the parts if an
		// object would have exactly MaxUploadParts parts.
		m.MaxUploadParts = transfer.MaxParts + 1
		// The caller decides whether to abort or keep the upload.
		m.LeavePartsOnError = true
	})
}

// provider reads the parts of a stream into borrowed memory, so that the uploader allocates none.
type provider func(part io.Reader) (content []byte, giveBack func())

// GetWriteTo returns the content of a part, and a function to call after it was sent.
func (p provider) GetWriteTo(part io.ReadSeeker) (manager.ReadSeekerWriteTo, func()) {
	content, giveBack := p(part)
	return &filled{bytes.NewReader(content), content}, giveBack
}

// filled is a part that was read.
type filled struct {
	*bytes.Reader
	content []byte
}

// uploading is the destination that the uploader uses: an upload that already exists and accepts
// parts.
type uploading struct{ r *reading }

// errNotAsked reports a call that the uploader never makes: a stream has at least two parts, and
// the uploader is configured not to abort the upload.
var errNotAsked = errors.New("BUG: the uploader of a stream may only send parts")

// CreateMultipartUpload returns a placeholder ID; the upload already exists.
func (u uploading) CreateMultipartUpload(context.Context, *s3.CreateMultipartUploadInput, ...func(*s3.Options)) (*s3.CreateMultipartUploadOutput, error) {
	id := "begun"
	return &s3.CreateMultipartUploadOutput{UploadId: &id}, nil
}

// UploadPart makes a part. The uploader calls it concurrently.
func (u uploading) UploadPart(ctx context.Context, in *s3.UploadPartInput, _ ...func(*s3.Options)) (*s3.UploadPartOutput, error) {
	if ctx.Err() != nil {
		return nil, context.Cause(ctx)
	}
	err := request.Guard(u.r.Source.Place.Bucket, u.r.Object.Key, func() error {
		return u.r.Part(ctx, *in.PartNumber, in.Body.(*filled).content)
	})
	if err != nil {
		u.r.fail(err)
		return nil, err
	}
	return &s3.UploadPartOutput{}, nil
}

// CompleteMultipartUpload does nothing: the caller completes the upload, after it has compared the
// parts with the source's checksum.
func (u uploading) CompleteMultipartUpload(context.Context, *s3.CompleteMultipartUploadInput, ...func(*s3.Options)) (*s3.CompleteMultipartUploadOutput, error) {
	return &s3.CompleteMultipartUploadOutput{}, nil
}

// PutObject is never called.
func (u uploading) PutObject(context.Context, *s3.PutObjectInput, ...func(*s3.Options)) (*s3.PutObjectOutput, error) {
	return nil, errNotAsked
}

// AbortMultipartUpload is never called.
func (u uploading) AbortMultipartUpload(context.Context, *s3.AbortMultipartUploadInput, ...func(*s3.Options)) (*s3.AbortMultipartUploadOutput, error) {
	return nil, errNotAsked
}

var _ manager.UploadAPIClient = uploading{}
