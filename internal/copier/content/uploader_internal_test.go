package content

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"sync/atomic"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/s3"

	"syncd/internal/transfer"
)

// tally accepts and counts the parts of any upload.
type tally struct {
	uploading
	parts *atomic.Int64
}

func (t tally) UploadPart(context.Context, *s3.UploadPartInput, ...func(*s3.Options)) (*s3.UploadPartOutput, error) {
	t.parts.Add(1)
	return &s3.UploadPartOutput{}, nil
}

// TestUploaderKeepsThePartSize checks that the parts of objects with nearly the maximum number of
// parts have the requested size, which is the size recorded with the upload.
func TestUploaderKeepsThePartSize(t *testing.T) {
	const size = 8 << 20
	for length, want := range map[int64]int64{
		size + 1: 2, 3 * size: 3, (transfer.MaxParts-1)*size + 1: transfer.MaxParts, transfer.MaxParts*size - 1: transfer.MaxParts, transfer.MaxParts * size: transfer.MaxParts,
	} {
		t.Run(fmt.Sprint(length), func(t *testing.T) {
			var sent atomic.Int64
			at := int64(0)
			destination := tally{uploading{&reading{}}, &sent}
			bucket, key := "bucket", "key"
			uploader := newUploader(destination, size, func(part io.Reader) ([]byte, func()) {
				if got, want := part.(*io.SectionReader).Size(), min(size, length-at); got != want {
					t.Errorf("got a part of %d bytes at byte %d, want %d", got, at, want)
				}
				at += size
				return nil, func() {}
			})
			_, err := uploader.Upload(t.Context(), &s3.PutObjectInput{ //nolint:staticcheck // see newUploader
				Bucket: &bucket, Key: &key, Body: io.NewSectionReader(bytes.NewReader(nil), 0, length),
			})
			if err != nil || sent.Load() != want {
				t.Errorf("got %d parts, %v, want %d", sent.Load(), err, want)
			}
		})
	}
}
