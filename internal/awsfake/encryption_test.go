package awsfake_test

import (
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"

	"syncd/internal/awsfake"
)

// TestCustomerKeys: an object under SSE-C is listed like any other and can be read by nobody who does not bring the key.
func TestCustomerKeys(t *testing.T) {
	w := newWorld(t, awsfake.Options{})
	info := w.source.Put("k", awsfake.SyntheticBody(6*mebi, 1), awsfake.PutOptions{SSEC: true})
	if info.Encryption != "SSE-C" || info.KeyARN != "" {
		t.Errorf("owner's hand: got %q under %q", info.Encryption, info.KeyARN)
	}
	client := s3Client(w.assume(t, nil))
	for operation, got := range readEveryWay(t, client) {
		if got != "InvalidRequest" {
			t.Errorf("%s: got %q, want InvalidRequest", operation, got)
		}
	}
	_, err := client.CopyObject(t.Context(), copyKey("k"))
	const sentence = "The object was stored using a form of Server Side Encryption. The correct parameters must be provided to retrieve the object."
	if got := message(err); got != sentence {
		t.Errorf("got %q, want %q", got, sentence)
	}
	w.source.SetPolicy(bucketPolicyWithout("x:y", w.role.ARN))
	_, err = client.GetObjectAttributes(t.Context(), &s3.GetObjectAttributesInput{
		Bucket: aws.String("owner-data"), Key: aws.String("k"), ObjectAttributes: []types.ObjectAttributes{types.ObjectAttributesEtag},
	})
	if got := code(err); got != "InvalidRequest" {
		t.Errorf("attributes: got %q", got)
	}
	head := &s3.HeadObjectInput{Bucket: aws.String("owner-data"), Key: aws.String("k")}
	if _, err := client.HeadObject(t.Context(), head); code(err) != "BadRequest" { // what the SDK makes of 400 without a body
		t.Errorf("HEAD: got %v", err)
	}
	head.SSECustomerAlgorithm, head.SSECustomerKey = aws.String("AES256"), aws.String(strings.Repeat("k", 32))
	w.source.SetPolicy(nil)
	if _, err := client.HeadObject(t.Context(), head); code(err) != "Forbidden" { // authorisation comes first
		t.Errorf("HEAD without permission: got %v", err)
	}
	listed, err := s3Client(w.userConfig(w.owner.AdminUser())).ListObjectsV2(t.Context(), &s3.ListObjectsV2Input{Bucket: aws.String("owner-data")})
	if err != nil || len(listed.Contents) != 1 || *listed.Contents[0].Size != 6*mebi {
		t.Errorf("listing: %v, %+v", err, listed)
	}
}

// TestDualLayer: DSSE-KMS asks the same key for the same permissions, and knows no bucket key.
func TestDualLayer(t *testing.T) {
	w := newWorld(t, awsfake.Options{})
	w.source.Put("key", awsfake.BytesBody([]byte("x")), awsfake.PutOptions{DSSE: true})
	client := s3Client(w.assume(t, nil))
	head, err := client.HeadObject(t.Context(), &s3.HeadObjectInput{Bucket: aws.String("owner-data"), Key: aws.String("key")})
	if err != nil || head.ServerSideEncryption != types.ServerSideEncryptionAwsKmsDsse || aws.ToString(head.SSEKMSKeyId) != w.ownerKey.ARN() {
		t.Errorf("HEAD: %v, %s under %s", err, head.ServerSideEncryption, aws.ToString(head.SSEKMSKeyId))
	}
	in := copyKey("key")
	in.ServerSideEncryption, in.SSEKMSKeyId = types.ServerSideEncryptionAwsKmsDsse, aws.String(w.consumerKey.ARN())
	in.BucketKeyEnabled = aws.Bool(true)
	out, err := client.CopyObject(t.Context(), in)
	if err != nil || out.ServerSideEncryption != types.ServerSideEncryptionAwsKmsDsse || aws.ToBool(out.BucketKeyEnabled) {
		t.Errorf("copy: %v, %+v", err, out)
	}
	w.ownerKey.SetPolicy(nil)
	if _, err := client.CopyObject(t.Context(), copyKey("key")); code(err) != "AccessDenied" {
		t.Errorf("without the owner's key: got %v", err)
	}
}
