package object_test

import (
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"

	"syncd/internal/awsfake"
	"syncd/internal/awsfake/awsfaketest"
	"syncd/internal/iam"
)

// TestObjectsOfAThirdAccount checks that objects that a third account owns are listed with their
// owner, and that a bucket policy cannot make them readable, even for the bucket's own account.
func TestObjectsOfAThirdAccount(t *testing.T) {
	w := awsfaketest.New(t, awsfake.Options{})
	w.Source.Put("own", awsfake.BytesBody([]byte("x")), awsfake.PutOptions{})
	w.Source.Put("third", awsfake.BytesBody([]byte("x")), awsfake.PutOptions{Owner: "444444444444"})
	role := awsfaketest.S3Client(w.Assume(t, nil))
	get := func(client *s3.Client, key string) string {
		_, err := client.GetObject(t.Context(), &s3.GetObjectInput{Bucket: aws.String("owner-data"), Key: &key})
		return awsfaketest.Code(err)
	}
	if own, third := get(role, "own"), get(role, "third"); own != "" || third != "AccessDenied" {
		t.Errorf("got %q of an own object and %q of a third account's, want it denied", own, third)
	}
	if got := get(awsfaketest.S3Client(w.UserConfig(w.Owner.AdminUser())), "third"); got != "AccessDenied" {
		t.Errorf("got %q for the bucket's own account, want it denied", got)
	}
	out, err := role.ListObjectsV2(t.Context(), &s3.ListObjectsV2Input{Bucket: aws.String("owner-data"), FetchOwner: aws.Bool(true)})
	if err != nil || len(out.Contents) != 2 || *out.Contents[0].Owner.ID != "111111111111" || *out.Contents[1].Owner.ID != "444444444444" {
		t.Errorf("got %+v, %v, want each object with its owner", out.Contents, err)
	}
}

// TestACLNeedsPutObjectAcl checks that a write with an ACL also requires s3:PutObjectAcl.
func TestACLNeedsPutObjectAcl(t *testing.T) {
	w := awsfaketest.New(t, awsfake.Options{})
	w.Role.SetPolicies(iam.MustParse(`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["s3:PutObject","kms:*"],"Resource":"*"}]}`))
	for acl, want := range map[types.ObjectCannedACL]string{"": "", types.ObjectCannedACLBucketOwnerFullControl: "AccessDenied"} {
		_, err := awsfaketest.S3Client(w.Assume(t, nil)).PutObject(t.Context(), &s3.PutObjectInput{Bucket: aws.String("consumer-copy"), Key: aws.String("k"), ACL: acl})
		if got := awsfaketest.Code(err); got != want {
			t.Errorf("ACL %q: got %q, want %q", acl, got, want)
		}
	}
}

// TestOptInRegion checks that S3 does not redirect to an opt-in Region.
func TestOptInRegion(t *testing.T) {
	w := awsfaketest.New(t, awsfake.Options{})
	w.Consumer.CreateBucket("south", "eu-south-1", awsfake.BucketOptions{})
	_, err := awsfaketest.S3Client(w.UserConfig(w.Base)).ListObjectsV2(t.Context(), &s3.ListObjectsV2Input{Bucket: aws.String("south")})
	if got := awsfaketest.Code(err); got != "IllegalLocationConstraintException" {
		t.Errorf("got %q, want IllegalLocationConstraintException", got)
	}
}
