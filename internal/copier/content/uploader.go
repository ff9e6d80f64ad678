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

// newUploader returns an uploader of parts of exactly that size.
//
//nolint:staticcheck // what supersedes it, feature/s3/transfermanager, makes no promises yet: it is a v0
func newUploader(destination manager.UploadAPIClient, partSize int64, parts provider) *manager.Uploader {
	return manager.NewUploader(destination, func(m *manager.Uploader) {
		m.PartSize, m.Concurrency, m.BufferProvider = partSize, streamWriters, parts
		// For an object of just as many parts as this allows, it would make them larger.
		m.MaxUploadParts = transfer.MaxParts + 1
		// The upload is settled where every other is, which may be to keep it.
		m.LeavePartsOnError = true
	})
}

// provider reads the parts of a stream into memory that is borrowed, so that the uploader needs
// none of its own.
type provider func(part io.Reader) (content []byte, giveBack func())

// GetWriteTo returns the content of a part, and what to call when it was sent.
func (p provider) GetWriteTo(part io.ReadSeeker) (manager.ReadSeekerWriteTo, func()) {
	content, giveBack := p(part)
	return &filled{bytes.NewReader(content), content}, giveBack
}

// filled is a part that was read.
type filled struct {
	*bytes.Reader
	content []byte
}

// uploading is the destination as the uploader is shown it: an upload that was begun, and that
// waits for its parts.
type uploading struct{ r *reading }

// errNotAsked says that the uploader did what it has no reason to do: a stream has two parts or
// more, and keeps them.
var errNotAsked = errors.New("BUG: the uploader of a stream may only send parts")

// CreateMultipartUpload names the upload that was begun; nobody reads the name.
func (u uploading) CreateMultipartUpload(context.Context, *s3.CreateMultipartUploadInput, ...func(*s3.Options)) (*s3.CreateMultipartUploadOutput, error) {
	id := "begun"
	return &s3.CreateMultipartUploadOutput{UploadId: &id}, nil
}

// UploadPart makes a part. It is called by goroutines of the uploader.
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

// CompleteMultipartUpload does nothing: what the parts make is held to the source's checksum first.
func (u uploading) CompleteMultipartUpload(context.Context, *s3.CompleteMultipartUploadInput, ...func(*s3.Options)) (*s3.CompleteMultipartUploadOutput, error) {
	return &s3.CompleteMultipartUploadOutput{}, nil
}

// PutObject is never asked for.
func (u uploading) PutObject(context.Context, *s3.PutObjectInput, ...func(*s3.Options)) (*s3.PutObjectOutput, error) {
	return nil, errNotAsked
}

// AbortMultipartUpload is never asked for.
func (u uploading) AbortMultipartUpload(context.Context, *s3.AbortMultipartUploadInput, ...func(*s3.Options)) (*s3.AbortMultipartUploadOutput, error) {
	return nil, errNotAsked
}

var _ manager.UploadAPIClient = uploading{}
