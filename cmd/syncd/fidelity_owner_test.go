package main

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
	smithyhttp "github.com/aws/smithy-go/transport/http"

	"syncd/internal/awsfake"
)

// owner puts objects into a source bucket.
type owner struct {
	t      *testing.T
	client *s3.Client
	name   string // of the bucket
	keyARN string
	bucket *awsfake.Bucket // nil on a real server
	later  *awsfake.Key    // disabled after all objects are put; nil on a real server
}

// add puts an object of the kind, and then applies k.then.
func (o *owner) add(k kind) error {
	if err := o.put(k.path(), k); err != nil {
		return err
	}
	if k.then == nil {
		return nil
	}
	return k.then(o, k.path())
}

func (o *owner) put(key string, k kind) error {
	var err error
	switch {
	case k.hand != nil:
		o.bucket.Put(key, k.body(), *k.hand)
	case k.sizes != nil:
		err = o.upload(key, k)
	default:
		in := o.request(k)
		in.Key, in.Body = &key, bytes.NewReader(k.content())
		_, err = o.client.PutObject(o.t.Context(), &in, sent(k.headers))
	}
	if err != nil || k.tags == nil {
		return err
	}
	return o.tag(key, k.tags)
}

// request returns the put request of a kind, without key and content.
func (o *owner) request(k kind) s3.PutObjectInput {
	in := k.put
	in.Bucket = &o.name
	switch aws.ToString(in.SSEKMSKeyId) {
	case ownersKey:
		in.SSEKMSKeyId = &o.keyARN
	case laterKey:
		in.SSEKMSKeyId = aws.String(o.later.ARN())
	}
	return in
}

// content returns the content of a kind: its name, or noise that is derived from it.
func (k kind) content() []byte {
	if k.size == 0 && k.sizes == nil {
		return []byte(k.name)
	}
	noise := make([]byte, k.length())
	_, _ = rand.NewChaCha8(sha256.Sum256([]byte(k.name))).Read(noise) // Read never fails
	return noise
}

// body returns the content for an object that is put directly into the fake. Large content is
// generated while it is read.
func (k kind) body() awsfake.Body {
	if k.length() > mebibyte {
		return awsfake.SyntheticBody(k.length(), 7)
	}
	return awsfake.BytesBody(k.content())
}

// sent sends headers exactly as given.
func sent(headers map[string]string) func(*s3.Options) {
	return func(o *s3.Options) {
		for name, value := range headers {
			o.APIOptions = append(o.APIOptions, smithyhttp.SetHeaderValue(name, value))
		}
	}
}

func (o *owner) tag(key string, tags map[string]string) error {
	var set []types.Tag
	for _, name := range slices.Sorted(maps.Keys(tags)) {
		set = append(set, types.Tag{Key: &name, Value: aws.String(tags[name])})
	}
	_, err := o.client.PutObjectTagging(o.t.Context(), &s3.PutObjectTaggingInput{Bucket: &o.name, Key: &key, Tagging: &types.Tagging{TagSet: set}})
	return err
}

// upload puts an object in parts.
func (o *owner) upload(key string, k kind) error {
	in, content := o.request(k), k.content()
	create := &s3.CreateMultipartUploadInput{
		Bucket: in.Bucket, Key: &key, ChecksumAlgorithm: in.ChecksumAlgorithm, Metadata: in.Metadata,
		CacheControl: in.CacheControl, ContentDisposition: in.ContentDisposition, ContentEncoding: in.ContentEncoding,
		ContentLanguage: in.ContentLanguage, ContentType: in.ContentType, ServerSideEncryption: in.ServerSideEncryption,
		SSEKMSKeyId: in.SSEKMSKeyId, StorageClass: in.StorageClass,
	}
	if in.ChecksumAlgorithm == types.ChecksumAlgorithmCrc64nvme {
		create.ChecksumType = types.ChecksumTypeFullObject
	}
	created, err := o.client.CreateMultipartUpload(o.t.Context(), create)
	if err != nil {
		return err
	}
	var parts []types.CompletedPart
	for i, size := range k.sizes {
		number := int32(i + 1) //nolint:gosec // a few
		part, err := o.client.UploadPart(o.t.Context(), &s3.UploadPartInput{
			Bucket: &o.name, Key: &key, UploadId: created.UploadId, PartNumber: &number,
			Body: bytes.NewReader(content[:size]), ChecksumAlgorithm: in.ChecksumAlgorithm,
		})
		if err != nil {
			return fmt.Errorf("part %d: %w", number, err)
		}
		content = content[size:]
		parts = append(parts, types.CompletedPart{
			PartNumber: &number, ETag: part.ETag, ChecksumCRC32: part.ChecksumCRC32, ChecksumCRC32C: part.ChecksumCRC32C,
			ChecksumCRC64NVME: part.ChecksumCRC64NVME, ChecksumSHA1: part.ChecksumSHA1, ChecksumSHA256: part.ChecksumSHA256,
		})
	}
	_, err = o.client.CompleteMultipartUpload(o.t.Context(), &s3.CompleteMultipartUploadInput{
		Bucket: &o.name, Key: &key, UploadId: created.UploadId, ChecksumType: create.ChecksumType,
		MultipartUpload: &types.CompletedMultipartUpload{Parts: parts},
	})
	return err
}

func (o *owner) remove(key string) error {
	_, err := o.client.DeleteObject(o.t.Context(), &s3.DeleteObjectInput{Bucket: &o.name, Key: &key})
	return err
}
