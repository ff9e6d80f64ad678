package awsfaketest

import (
	"bytes"
	"fmt"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
)

// Mebi is one mebibyte.
const Mebi = 1 << 20

// Multipart is an upload in progress to the consumer's bucket.
type Multipart struct {
	Client *s3.Client
	ID     *string
	Parts  []types.CompletedPart
}

// StartUpload starts an upload of the key k to the consumer's bucket.
func StartUpload(tb testing.TB, client *s3.Client, change func(*s3.CreateMultipartUploadInput)) *Multipart {
	tb.Helper()
	in := &s3.CreateMultipartUploadInput{Bucket: aws.String("consumer-copy"), Key: aws.String("k")}
	if change != nil {
		change(in)
	}
	out, err := client.CreateMultipartUpload(tb.Context(), in)
	if err != nil {
		tb.Fatal(err)
	}
	return &Multipart{Client: client, ID: out.UploadId}
}

// Upload uploads a part.
func (m *Multipart) Upload(tb testing.TB, number int32, body []byte) {
	tb.Helper()
	out, err := m.Client.UploadPart(tb.Context(), &s3.UploadPartInput{
		Bucket: aws.String("consumer-copy"), Key: aws.String("k"), UploadId: m.ID, PartNumber: &number, Body: bytes.NewReader(body),
	})
	if err != nil {
		tb.Fatal(err)
	}
	m.Parts = append(m.Parts, types.CompletedPart{PartNumber: &number, ETag: out.ETag})
}

// Copy copies a byte range of the owner's object k into a part.
func (m *Multipart) Copy(tb testing.TB, number int32, from, to int64) error {
	tb.Helper()
	out, err := m.Client.UploadPartCopy(tb.Context(), &s3.UploadPartCopyInput{
		Bucket: aws.String("consumer-copy"), Key: aws.String("k"), UploadId: m.ID, PartNumber: &number,
		CopySource: aws.String("owner-data/k"), CopySourceRange: aws.String(fmt.Sprintf("bytes=%d-%d", from, to)),
	})
	if err == nil {
		m.Parts = append(m.Parts, types.CompletedPart{PartNumber: &number, ETag: out.CopyPartResult.ETag})
	}
	return err
}

// Complete completes the upload.
func (m *Multipart) Complete(tb testing.TB, change func(*s3.CompleteMultipartUploadInput)) error {
	tb.Helper()
	in := &s3.CompleteMultipartUploadInput{
		Bucket: aws.String("consumer-copy"), Key: aws.String("k"), UploadId: m.ID,
		MultipartUpload: &types.CompletedMultipartUpload{Parts: m.Parts},
	}
	if change != nil {
		change(in)
	}
	_, err := m.Client.CompleteMultipartUpload(tb.Context(), in)
	return err
}
