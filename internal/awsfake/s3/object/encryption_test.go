package object_test

import (
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"

	"syncd/internal/awsfake"
	"syncd/internal/awsfake/awsfaketest"
)

// TestCustomerKeys checks that an SSE-C object is listed like other objects, but cannot be read
// without the key.
func TestCustomerKeys(t *testing.T) {
	w := awsfaketest.New(t, awsfake.Options{})
	info := w.Source.Put("k", awsfake.SyntheticBody(6*awsfaketest.Mebi, 1), awsfake.PutOptions{SSEC: true})
	if info.Encryption != "SSE-C" || info.KeyARN != "" {
		t.Errorf("Go API: got %q under %q", info.Encryption, info.KeyARN)
	}
	client := awsfaketest.S3Client(w.Assume(t, nil))
	for operation, got := range readEveryWay(t, client) {
		if got != "InvalidRequest" {
			t.Errorf("%s: got %q, want InvalidRequest", operation, got)
		}
	}
	_, err := client.CopyObject(t.Context(), awsfaketest.CopyKey("k"))
	const sentence = "The object was stored using a form of Server Side Encryption. The correct parameters must be provided to retrieve the object."
	if got := awsfaketest.Message(err); got != sentence {
		t.Errorf("got %q, want %q", got, sentence)
	}
	w.Source.SetPolicy(awsfaketest.BucketPolicyWithout("x:y", w.Role.ARN))
	_, err = client.GetObjectAttributes(t.Context(), &s3.GetObjectAttributesInput{
		Bucket: aws.String("owner-data"), Key: aws.String("k"), ObjectAttributes: []types.ObjectAttributes{types.ObjectAttributesEtag},
	})
	if got := awsfaketest.Code(err); got != "InvalidRequest" {
		t.Errorf("attributes: got %q", got)
	}
	head := &s3.HeadObjectInput{Bucket: aws.String("owner-data"), Key: aws.String("k")}
	if _, err := client.HeadObject(t.Context(), head); awsfaketest.Code(err) != "BadRequest" { // the SDK's code for 400 without a body
		t.Errorf("HEAD: got %v", err)
	}
	head.SSECustomerAlgorithm, head.SSECustomerKey = aws.String("AES256"), aws.String(strings.Repeat("k", 32))
	w.Source.SetPolicy(nil)
	if _, err := client.HeadObject(t.Context(), head); awsfaketest.Code(err) != "Forbidden" { // authorisation comes first
		t.Errorf("HEAD without permission: got %v", err)
	}
	listed, err := awsfaketest.S3Client(w.UserConfig(w.Owner.AdminUser())).ListObjectsV2(t.Context(), &s3.ListObjectsV2Input{Bucket: aws.String("owner-data")})
	if err != nil || len(listed.Contents) != 1 || *listed.Contents[0].Size != 6*awsfaketest.Mebi {
		t.Errorf("listing: %v, %+v", err, listed)
	}
}

// TestDualLayer checks that DSSE-KMS requires the same permissions on the same key, and does not
// support bucket keys.
func TestDualLayer(t *testing.T) {
	w := awsfaketest.New(t, awsfake.Options{})
	w.Source.Put("key", awsfake.BytesBody([]byte("x")), awsfake.PutOptions{DSSE: true})
	client := awsfaketest.S3Client(w.Assume(t, nil))
	head, err := client.HeadObject(t.Context(), &s3.HeadObjectInput{Bucket: aws.String("owner-data"), Key: aws.String("key")})
	if err != nil || head.ServerSideEncryption != types.ServerSideEncryptionAwsKmsDsse || aws.ToString(head.SSEKMSKeyId) != w.OwnerKey.ARN() {
		t.Errorf("HEAD: %v, %s under %s", err, head.ServerSideEncryption, aws.ToString(head.SSEKMSKeyId))
	}
	in := awsfaketest.CopyKey("key")
	in.ServerSideEncryption, in.SSEKMSKeyId = types.ServerSideEncryptionAwsKmsDsse, aws.String(w.ConsumerKey.ARN())
	in.BucketKeyEnabled = aws.Bool(true)
	out, err := client.CopyObject(t.Context(), in)
	if err != nil || out.ServerSideEncryption != types.ServerSideEncryptionAwsKmsDsse || aws.ToBool(out.BucketKeyEnabled) {
		t.Errorf("copy: %v, %+v", err, out)
	}
	w.OwnerKey.SetPolicy(nil)
	if _, err := client.CopyObject(t.Context(), awsfaketest.CopyKey("key")); awsfaketest.Code(err) != "AccessDenied" {
		t.Errorf("without the owner's key: got %v", err)
	}
}
