package s3

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math/rand/v2"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"

	"syncd/internal/awserr"
	"syncd/internal/deadline"
	"syncd/internal/transfer"
)

const (
	// uploadPart is the part size of a large record in bytes. At most this many bytes of the record
	// are in memory at once. With [transfer.MaxParts] parts a record can have 48 GiB.
	uploadPart = int(transfer.MinPartSize)

	// largeWrites is how many records larger than smallWrite are written at once; further records
	// wait. A writer in progress never waits for a writer in the queue.
	largeWrites = 8

	// writeMark is the key of the user metadata that identifies the write that created an object.
	// If the name is taken by an object with the mark of the same write, an earlier attempt
	// succeeded and only the response was lost.
	writeMark = "syncd-write"

	// conflictTries limits how often a write is repeated after the error 409
	// ConditionalRequestConflict.
	conflictTries = 5
	conflictPause = 50 * time.Millisecond

	// cleanupTime limits the time for the cleanup after the caller's context has ended.
	cleanupTime = 10 * time.Second
)

// Create creates a record. It is durable when Create returns.
func (s *Store) Create(ctx context.Context, name string, write func(io.Writer) error) error {
	key, err := s.key(ctx, name)
	if err != nil {
		return err
	}
	w := &objectWriter{ctx: ctx, store: s, key: key, mark: mark()}
	defer w.release()
	if err := write(w); err != nil {
		return errors.Join(fmt.Errorf("create %s: %w", s.uri(key), err), w.abort(ctx))
	}
	if err := w.finish(ctx); err != nil {
		return errors.Join(err, w.abort(ctx))
	}
	return nil
}

// createObject creates a small object.
func (s *Store) createObject(ctx context.Context, key string, data []byte) error {
	w := &objectWriter{ctx: ctx, store: s, key: key, mark: mark(), buf: data}
	return w.put(ctx)
}

// objectWriter buffers a record and uploads it: in one request, or in parts once it exceeds the
// size of one part.
type objectWriter struct {
	ctx    context.Context //nolint:containedctx // context of the call of Create; io.Writer accepts none
	store  *Store
	key    string
	mark   string
	buf    []byte
	large  bool    // whether buf has the capacity of a part
	upload *string // upload ID, nil until the first part is sent
	parts  []types.CompletedPart
}

// Write buffers p and sends every full part.
func (w *objectWriter) Write(p []byte) (n int, err error) {
	if err := w.reserve(len(p)); err != nil {
		return 0, err
	}
	for len(p) > 0 {
		if len(w.buf) == uploadPart {
			if err := w.sendPart(w.ctx); err != nil {
				return n, err
			}
		}
		take := min(len(p), uploadPart-len(w.buf))
		w.buf = append(w.buf, p[:take]...)
		p, n = p[take:], n+take
	}
	return n, nil
}

// smallWrite is how many bytes a record may have that is written without waiting, see largeWrites.
const smallWrite = 1 << 20

// reserve makes room for n more bytes, up to the size of a part.
func (w *objectWriter) reserve(n int) error {
	if w.large || len(w.buf)+n <= smallWrite {
		return nil
	}
	select {
	case w.store.large <- struct{}{}:
	case <-w.ctx.Done():
		return w.ctx.Err()
	}
	w.large, w.buf = true, append(make([]byte, 0, uploadPart), w.buf...)
	return nil
}

func (w *objectWriter) release() {
	if w.large {
		w.large, w.buf = false, nil
		<-w.store.large
	}
}

// finish creates the object.
func (w *objectWriter) finish(ctx context.Context) error {
	if w.upload == nil {
		return w.put(ctx)
	}
	if len(w.buf) > 0 {
		if err := w.sendPart(ctx); err != nil {
			return err
		}
	}
	return w.complete(ctx)
}

// put creates the object in one request.
func (w *objectWriter) put(ctx context.Context) error {
	in := &s3.PutObjectInput{
		Bucket: &w.store.options.Place.Bucket, Key: &w.key, ExpectedBucketOwner: w.store.options.Place.ExpectedOwner(),
		IfNoneMatch: aws.String("*"), Metadata: map[string]string{writeMark: w.mark},
		ChecksumAlgorithm: types.ChecksumAlgorithmCrc64nvme,
	}
	if key := w.store.options.KMSKey; key != "" {
		in.ServerSideEncryption, in.SSEKMSKeyId, in.BucketKeyEnabled = types.ServerSideEncryptionAwsKms, &key, aws.Bool(true)
	}
	for try := 1; ; try++ {
		in.Body = bytes.NewReader(w.buf)
		_, err := w.store.client.PutObject(ctx, in)
		if err == nil {
			return nil
		}
		if awserr.Classify(err) != awserr.Conflict || try == conflictTries {
			return w.refused(ctx, err)
		}
		// The request that caused the conflict may have failed, so only another attempt shows
		// whether the name is taken.
		if err := deadline.Sleep(ctx, conflictPause<<try/2+rand.N(conflictPause)); err != nil {
			return w.store.failed("create", w.key, err)
		}
	}
}

// refused returns the result of a write whose condition did not hold. It returns nil if the name
// was taken by an earlier attempt of this write whose response was lost, and an error if it was
// taken by another writer.
func (w *objectWriter) refused(ctx context.Context, err error) error {
	class := awserr.Classify(err)
	if class != awserr.Precondition && class != awserr.Gone {
		return w.store.unwritten("create", w.key, err)
	}
	there, headErr := w.store.client.HeadObject(ctx, &s3.HeadObjectInput{
		Bucket: &w.store.options.Place.Bucket, Key: &w.key, ExpectedBucketOwner: w.store.options.Place.ExpectedOwner(),
	})
	switch {
	case headErr == nil && there.Metadata[writeMark] == w.mark:
		return nil
	case headErr != nil && awserr.Classify(headErr) != awserr.Gone:
		return w.store.failed("create", w.key, errors.Join(err, headErr))
	case class == awserr.Gone: // neither the upload nor the object exists
		return w.store.failed("create", w.key, fmt.Errorf("upload was aborted: %s", awserr.Brief(err)))
	}
	return fmt.Errorf("create %s: %w", w.store.uri(w.key), fs.ErrExist)
}

// sendPart uploads the buffer as a part. The first part begins the upload.
func (w *objectWriter) sendPart(ctx context.Context) error {
	if err := w.begin(ctx); err != nil {
		return err
	}
	number := int32(len(w.parts) + 1)
	out, err := w.store.client.UploadPart(ctx, &s3.UploadPartInput{
		Bucket: &w.store.options.Place.Bucket, Key: &w.key, ExpectedBucketOwner: w.store.options.Place.ExpectedOwner(),
		UploadId: w.upload, PartNumber: &number, Body: bytes.NewReader(w.buf),
		ChecksumAlgorithm: types.ChecksumAlgorithmCrc64nvme,
	})
	if err != nil {
		return w.store.failed(fmt.Sprintf("upload part %d of", number), w.key, err)
	}
	w.parts = append(w.parts, types.CompletedPart{
		PartNumber: &number, ETag: out.ETag, ChecksumCRC64NVME: out.ChecksumCRC64NVME,
	})
	w.buf = w.buf[:0]
	return nil
}

func (w *objectWriter) begin(ctx context.Context) error {
	if w.upload != nil {
		return nil
	}
	in := &s3.CreateMultipartUploadInput{
		Bucket: &w.store.options.Place.Bucket, Key: &w.key, ExpectedBucketOwner: w.store.options.Place.ExpectedOwner(),
		Metadata:          map[string]string{writeMark: w.mark},
		ChecksumAlgorithm: types.ChecksumAlgorithmCrc64nvme, ChecksumType: types.ChecksumTypeFullObject,
	}
	if key := w.store.options.KMSKey; key != "" {
		in.ServerSideEncryption, in.SSEKMSKeyId, in.BucketKeyEnabled = types.ServerSideEncryptionAwsKms, &key, aws.Bool(true)
	}
	out, err := w.store.client.CreateMultipartUpload(ctx, in)
	if err != nil {
		return w.store.failed("begin upload of", w.key, err)
	}
	w.upload = out.UploadId
	return nil
}

// complete completes the upload. After a 409 the upload cannot be completed; the caller must write
// the record again.
func (w *objectWriter) complete(ctx context.Context) error {
	_, err := w.store.client.CompleteMultipartUpload(ctx, &s3.CompleteMultipartUploadInput{
		Bucket: &w.store.options.Place.Bucket, Key: &w.key, ExpectedBucketOwner: w.store.options.Place.ExpectedOwner(),
		UploadId: w.upload, IfNoneMatch: aws.String("*"), ChecksumType: types.ChecksumTypeFullObject,
		MultipartUpload: &types.CompletedMultipartUpload{Parts: w.parts},
	})
	if err != nil {
		return w.refused(ctx, err)
	}
	return nil
}

// abort aborts an upload that was not completed. It also works after ctx has ended, and takes at
// most cleanupTime.
func (w *objectWriter) abort(ctx context.Context) error {
	if w.upload == nil {
		return nil
	}
	err := deadline.Do(context.WithoutCancel(ctx), cleanupTime, func(ctx context.Context) error {
		_, err := w.store.client.AbortMultipartUpload(ctx, &s3.AbortMultipartUploadInput{
			Bucket: &w.store.options.Place.Bucket, Key: &w.key, ExpectedBucketOwner: w.store.options.Place.ExpectedOwner(), UploadId: w.upload,
		})
		return err
	})
	if err != nil && awserr.Classify(err) != awserr.Gone {
		return w.store.failed("abort upload of", w.key, err)
	}
	return nil
}
