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
	// probeAttempts is the number of attempts for one request. It is low, because the user waits
	// for the diagnosis and can run it again.
	probeAttempts = 3
	// probePage is the number of objects to list. probeLooks is the number of listed objects whose
	// encryption to check.
	probePage, probeLooks = 100, 10
	// absentUpload is an upload ID that does not exist.
	absentUpload = "syncd-doctor-no-such-upload"
	// absentETag is an ETag that no object has.
	absentETag = `"00000000000000000000000000000000"`
)

// bucketClient accesses one bucket as one principal.
type bucketClient struct {
	client *s3.Client
	place  transfer.Place
	arn    string // ARN of the bucket that stores the objects
	probe  string // a key under the place's prefix that does not exist
}

// payer returns the value of the requester-pays header, or "" if the requester does not pay.
func (c *bucketClient) payer() types.RequestPayer { return types.RequestPayer(c.place.Payer()) }

// s3Setting is the endpoint configuration for a bucket.
type s3Setting struct {
	url       string
	pathStyle *bool
}

// sample is an object used in probes.
type sample struct {
	object, owner string // owner is the canonical ID of the object's owner, or "" if unknown
	size          int64
	key, context  string // the KMS key, and the encryption context of the data key; "" without a KMS key
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

// head reads how the object is encrypted. It does not request the checksum, because that would need
// permission for the key.
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

// firstByte reads the first byte of an object, or all of an empty object.
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

// errUnconditional is the error for S3-compatible services that ignore conditional headers.
var errUnconditional = errors.New("the service ignores conditions on writes")

// put sends a PutObject request for the probe object. Its If-Match condition names an ETag that no
// object has, so nothing is written whether or not the request is allowed. Such a request also
// requires s3:GetObject (Amazon S3 User Guide, "How to prevent object overwrites with conditional
// writes"). If a service ignores the condition and writes the object, put deletes it.
func (c *bucketClient) put(ctx context.Context, e form) error {
	in := &s3.PutObjectInput{
		Bucket: &c.place.Bucket, Key: &c.probe, ExpectedBucketOwner: c.place.ExpectedOwner(), IfMatch: aws.String(absentETag), Body: bytes.NewReader(nil), ACL: e.acl,
	}
	in.ServerSideEncryption, in.SSEKMSKeyId, in.BucketKeyEnabled = e.header()
	if _, err := c.client.PutObject(ctx, in); err != nil {
		return absent(err)
	}
	if _, err := c.client.DeleteObject(ctx, &s3.DeleteObjectInput{Bucket: &c.place.Bucket, Key: &c.probe, ExpectedBucketOwner: c.place.ExpectedOwner()}); err != nil {
		return fmt.Errorf("%w, and s3://%s/%s was left behind: %s", errUnconditional, c.place.Bucket, c.probe, awserr.Brief(err))
	}
	return errUnconditional
}

// remove sends a conditional DeleteObject request for the probe object, which does not exist.
// Nothing is deleted, and no delete marker is created.
func (c *bucketClient) remove(ctx context.Context) error {
	_, err := c.client.DeleteObject(ctx, &s3.DeleteObjectInput{
		Bucket: &c.place.Bucket, Key: &c.probe, ExpectedBucketOwner: c.place.ExpectedOwner(), IfMatch: aws.String("*"),
	})
	return absent(err)
}

// form is the encryption and the ACL that a write requests. With the zero value the write requests
// neither of them, and the defaults of the bucket apply.
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

// begin starts a multipart upload of the probe object and returns its ID. The caller must abort the
// upload.
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
