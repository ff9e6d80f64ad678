package doctor

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/url"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"

	"syncd/internal/awserr"
	"syncd/internal/transfer"
)

const (
	// probeAttempts bounds the attempts of one request: whoever waits for a diagnosis can start it
	// again.
	probeAttempts = 3
	// probePage is how many objects are listed, and probeLooks how many of them are looked at to
	// find every kind of encryption.
	probePage, probeLooks = 100, 10
	// absentUpload is the id of no upload.
	absentUpload = "syncd-doctor-no-such-upload"
	// absentETag is the ETag of no object.
	absentETag = `"00000000000000000000000000000000"`
)

// bucketClient is one bucket as one principal sees it.
type bucketClient struct {
	client *s3.Client
	place  transfer.Place
	arn    string // of the bucket that holds the objects
	probe  string // a key of the place at which nothing lies
}

// payer is the header of requests that are paid for by who sends them.
func (c *bucketClient) payer() types.RequestPayer { return types.RequestPayer(c.place.Payer()) }

// s3Setting is what the configuration says of the way to a bucket.
type s3Setting struct {
	url       string
	pathStyle *bool
}

// sample is an object to try things on.
type sample struct {
	object, owner string // owner is the canonical id of the account that it belongs to, "" where it is not known
	size          int64
	key, context  string // the KMS key, and the encryption context of the data key; "" without one
	locked        bool
}

func (c *bucketClient) list(ctx context.Context) (samples []sample, err error) {
	out, err := c.client.ListObjectsV2(ctx, &s3.ListObjectsV2Input{
		Bucket: &c.place.Bucket, Prefix: optionally(c.place.Prefix), MaxKeys: aws.Int32(probePage), ExpectedBucketOwner: c.place.ExpectedOwner(),
		RequestPayer: c.payer(), EncodingType: types.EncodingTypeUrl, FetchOwner: aws.Bool(true),
	})
	if err != nil {
		return nil, err
	}
	for _, o := range out.Contents {
		name, err := url.QueryUnescape(aws.ToString(o.Key))
		if err != nil {
			return nil, fmt.Errorf("decode key: %w", err)
		}
		if o.StorageClass != types.ObjectStorageClassGlacier && o.StorageClass != types.ObjectStorageClassDeepArchive {
			s := sample{object: name, size: aws.ToInt64(o.Size)}
			if o.Owner != nil {
				s.owner = aws.ToString(o.Owner.ID)
			}
			samples = append(samples, s)
		}
	}
	return samples, nil
}

func optionally(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}

// head learns how the object is encrypted, from an answer that needs no key.
func (c *bucketClient) head(ctx context.Context, s *sample, bucketARN string) error {
	out, err := c.client.HeadObject(ctx, &s3.HeadObjectInput{
		Bucket: &c.place.Bucket, Key: &s.object, ExpectedBucketOwner: c.place.ExpectedOwner(), RequestPayer: c.payer(),
	}, func(o *s3.Options) { o.ResponseChecksumValidation = aws.ResponseChecksumValidationWhenRequired })
	if err != nil {
		return err
	}
	s.locked = out.ObjectLockMode != "" || out.ObjectLockLegalHoldStatus != ""
	if s.key = aws.ToString(out.SSEKMSKeyId); s.key != "" {
		s.context = bucketARN
		if !aws.ToBool(out.BucketKeyEnabled) {
			s.context += "/" + s.object
		}
	}
	return nil
}

// firstByte reads it, or all of an empty object.
func (c *bucketClient) firstByte(ctx context.Context, s sample) error {
	in := &s3.GetObjectInput{Bucket: &c.place.Bucket, Key: &s.object, ExpectedBucketOwner: c.place.ExpectedOwner(), RequestPayer: c.payer()}
	if s.size > 0 {
		in.Range = aws.String("bytes=0-0")
	}
	out, err := c.client.GetObject(ctx, in)
	if err != nil {
		return err
	}
	return out.Body.Close()
}

// errUnconditional is of services that are like S3 in other ways.
var errUnconditional = errors.New("the service writes though the condition does not hold")

// put tries to write the probe object if there is another one in its place, which there is not:
// allowed or not, nothing is written. It asks for s3:GetObject too (Amazon S3 User Guide, "How to
// prevent object overwrites with conditional writes"). What a service that knows no conditions has
// written is deleted.
func (c *bucketClient) put(ctx context.Context, e form) error {
	in := &s3.PutObjectInput{
		Bucket: &c.place.Bucket, Key: &c.probe, ExpectedBucketOwner: c.place.ExpectedOwner(), IfMatch: aws.String(absentETag), Body: bytes.NewReader(nil), ACL: e.acl,
	}
	in.ServerSideEncryption, in.SSEKMSKeyId, in.BucketKeyEnabled = e.header()
	if _, err := c.client.PutObject(ctx, in); err != nil {
		return absent(err)
	}
	if _, err := c.client.DeleteObject(ctx, &s3.DeleteObjectInput{Bucket: &c.place.Bucket, Key: &c.probe, ExpectedBucketOwner: c.place.ExpectedOwner()}); err != nil {
		return fmt.Errorf("%w, and has left s3://%s/%s: %s", errUnconditional, c.place.Bucket, c.probe, awserr.Brief(err))
	}
	return errUnconditional
}

// remove tries to delete the probe object if it is there: nothing is deleted, and no delete marker
// is made.
func (c *bucketClient) remove(ctx context.Context) error {
	_, err := c.client.DeleteObject(ctx, &s3.DeleteObjectInput{
		Bucket: &c.place.Bucket, Key: &c.probe, ExpectedBucketOwner: c.place.ExpectedOwner(), IfMatch: aws.String("*"),
	})
	return absent(err)
}

// form is what writes ask for; the zero one leaves it to the bucket.
type form struct {
	key       string
	bucketKey bool
	acl       types.ObjectCannedACL
}

func (e form) header() (types.ServerSideEncryption, *string, *bool) {
	if e.key == "" {
		return "", nil, nil
	}
	return types.ServerSideEncryptionAwsKms, &e.key, &e.bucketKey
}

// begin begins an upload of the probe object, whose aborting is the caller's duty.
func (c *bucketClient) begin(ctx context.Context, e form, more func(*s3.CreateMultipartUploadInput)) (id string, err error) {
	in := &s3.CreateMultipartUploadInput{Bucket: &c.place.Bucket, Key: &c.probe, ExpectedBucketOwner: c.place.ExpectedOwner(), ACL: e.acl}
	in.ServerSideEncryption, in.SSEKMSKeyId, in.BucketKeyEnabled = e.header()
	if more != nil {
		more(in)
	}
	out, err := c.client.CreateMultipartUpload(ctx, in)
	if err != nil {
		return "", err
	}
	return aws.ToString(out.UploadId), nil
}

func (c *bucketClient) part(ctx context.Context, id string) error {
	_, err := c.client.UploadPart(ctx, &s3.UploadPartInput{
		Bucket: &c.place.Bucket, Key: &c.probe, UploadId: &id, PartNumber: aws.Int32(1), ExpectedBucketOwner: c.place.ExpectedOwner(), Body: bytes.NewReader([]byte{0}),
	})
	return err
}

func (c *bucketClient) abort(ctx context.Context, id string) error {
	_, err := c.client.AbortMultipartUpload(ctx, &s3.AbortMultipartUploadInput{
		Bucket: &c.place.Bucket, Key: &c.probe, UploadId: &id, ExpectedBucketOwner: c.place.ExpectedOwner(),
	})
	return err
}
