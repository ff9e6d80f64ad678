// Package awsfaketest contains what the fake's tests share: a world of two accounts, and clients
// for it.
//
// In this world a cross-account copy works, so that a test changes only what it tests. The helpers
// return results that are easy to compare: codes, messages and bodies.
//
// Terms: a [World] is an owner with a bucket that is encrypted with a KMS key, and a consumer with
// its own bucket and a role that can read the owner's bucket. Most objects have the key k.
package awsfaketest

import (
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/kms"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/aws/smithy-go"

	"syncd/internal/awsfake"
	"syncd/internal/iam"
)

// Region is the Region of all resources.
const Region = "us-west-2"

// World is the two accounts of a cross-account copy. The owner's bucket is encrypted with the
// owner's key and open to a role of the consumer. The consumer has its own bucket and key.
type World struct {
	Cloud                 *awsfake.Cloud
	Owner, Consumer       *awsfake.Account
	OwnerKey, ConsumerKey *awsfake.Key
	Source, Destination   *awsfake.Bucket
	Base                  *awsfake.User // assumes the role
	Role                  *awsfake.Role
	Endpoint              string
	Client                *http.Client
}

// New returns a world and starts an HTTP listener for its cloud, which runs until the test ends.
func New(tb testing.TB, o awsfake.Options) *World {
	tb.Helper()
	w := &World{Cloud: awsfake.New(o)}
	w.Owner, w.Consumer = w.Cloud.Account("111111111111"), w.Cloud.Account("222222222222")
	roleARN := "arn:aws:iam::222222222222:role/syncd"
	w.OwnerKey = w.Owner.CreateKey(Region, KeyPolicy("111111111111", roleARN, "kms:Decrypt"))
	w.ConsumerKey = w.Consumer.CreateKey(Region, nil)
	w.Source = w.Owner.CreateBucket("owner-data", Region, awsfake.BucketOptions{KeyARN: w.OwnerKey.ARN(), Policy: BucketPolicy("owner-data", roleARN)})
	w.Destination = w.Consumer.CreateBucket("consumer-copy", Region, awsfake.BucketOptions{KeyARN: w.ConsumerKey.ARN()})
	w.Base = w.Consumer.AdminUser()
	w.Role = w.Consumer.CreateRole("syncd", Trust(w.Base.ARN), awsfake.RoleOptions{Policies: []*iam.Document{AllowAll()}})
	server := httptest.NewServer(w.Cloud)
	tb.Cleanup(server.Close)
	w.Endpoint, w.Client = server.URL, server.Client()
	return w
}

// AllowAll returns a policy that allows everything.
func AllowAll() *iam.Document {
	return iam.MustParse(`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"*","Resource":"*"}]}`)
}

// Trust returns a trust policy that lets a principal assume a role.
func Trust(arn string) *iam.Document {
	return iam.MustParse(fmt.Sprintf(`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":%q},
		"Action":["sts:AssumeRole","sts:TagSession","sts:SetSourceIdentity"]}]}`, arn))
}

// BucketPolicy returns a bucket policy that lets a principal list a bucket and read its objects.
func BucketPolicy(bucket, principal string) *iam.Document {
	return iam.MustParse(fmt.Sprintf(`{"Version":"2012-10-17","Statement":[
		{"Effect":"Allow","Principal":{"AWS":%q},"Action":["s3:ListBucket","s3:GetBucketLocation"],"Resource":"arn:aws:s3:::%s"},
		{"Effect":"Allow","Principal":{"AWS":%q},"Action":["s3:GetObject","s3:GetObjectVersion","s3:GetObjectTagging"],"Resource":"arn:aws:s3:::%s/*"}]}`,
		principal, bucket, principal, bucket))
}

// BucketPolicyWithout returns a bucket policy that allows a principal all actions on the owner's
// bucket except one.
func BucketPolicyWithout(action, principal string) *iam.Document {
	return iam.MustParse(fmt.Sprintf(`{"Version":"2012-10-17","Statement":[
		{"Effect":"Allow","Principal":{"AWS":%q},"NotAction":%q,"Resource":["arn:aws:s3:::owner-data","arn:aws:s3:::owner-data/*"]}]}`, principal, action))
}

// KeyPolicy returns a key policy that delegates the key to its owner and allows a principal one
// action through S3.
func KeyPolicy(owner, principal, action string) *iam.Document {
	return iam.MustParse(fmt.Sprintf(`{"Version":"2012-10-17","Statement":[
		{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::%s:root"},"Action":"kms:*","Resource":"*"},
		{"Effect":"Allow","Principal":{"AWS":%q},"Action":%q,"Resource":"*",
		 "Condition":{"StringEquals":{"kms:ViaService":"s3.us-west-2.amazonaws.com"}}}]}`, owner, principal, action))
}

// Config returns a configuration that signs with these credentials and connects to the listener.
func (w *World) Config(accessKey, secret, token string) aws.Config {
	return aws.Config{
		Region: Region, Credentials: credentials.NewStaticCredentialsProvider(accessKey, secret, token),
		BaseEndpoint: aws.String(w.Endpoint), HTTPClient: w.Client,
		RequestChecksumCalculation: aws.RequestChecksumCalculationWhenSupported,
		ResponseChecksumValidation: aws.ResponseChecksumValidationWhenSupported,
		RetryMaxAttempts:           1,
	}
}

// UserConfig returns a configuration that signs as a user.
func (w *World) UserConfig(u *awsfake.User) aws.Config {
	return w.Config(u.AccessKeyID, u.SecretAccessKey, "")
}

// Assume assumes the world's role and returns the configuration of that session.
func (w *World) Assume(tb testing.TB, change func(*sts.AssumeRoleInput)) aws.Config {
	tb.Helper()
	in := &sts.AssumeRoleInput{RoleArn: &w.Role.ARN, RoleSessionName: aws.String("test")}
	if change != nil {
		change(in)
	}
	out, err := sts.NewFromConfig(w.UserConfig(w.Base)).AssumeRole(tb.Context(), in)
	if err != nil {
		tb.Fatalf("assume %s: %v", w.Role.ARN, err)
	}
	c := out.Credentials
	return w.Config(*c.AccessKeyId, *c.SecretAccessKey, *c.SessionToken)
}

// S3Client returns an S3 client that uses path-style addresses.
func S3Client(c aws.Config) *s3.Client {
	return s3.NewFromConfig(c, func(o *s3.Options) { o.UsePathStyle = true })
}

// KMSClient returns a KMS client.
func KMSClient(c aws.Config) *kms.Client { return kms.NewFromConfig(c) }

// Code returns the error code of an AWS error, "" for success, or the text of any other error.
func Code(err error) string {
	if err == nil {
		return ""
	}
	refused, ok := errors.AsType[smithy.APIError](err)
	if !ok {
		return err.Error()
	}
	return refused.ErrorCode()
}

// Message returns the message of an AWS error, or "" if err is not one.
func Message(err error) string {
	refused, ok := errors.AsType[smithy.APIError](err)
	if !ok {
		return ""
	}
	return refused.ErrorMessage()
}
