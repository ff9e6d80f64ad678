// Package awsfaketest is what the tests of the fake share: a world of two accounts, and clients of
// it.
//
// It promises a cross-account copy that works, so that a test has to change only what it is about,
// and answers that are easy to compare: codes, messages, bodies. What the tests expect it leaves to
// them.
//
// Words to know. A [World] is an owner with a bucket under a key, and a consumer with a role that
// may read it and a bucket of its own; k is the key of most objects.
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

// Region is where everything is.
const Region = "us-west-2"

// World is two accounts as a cross-account copy meets them: the owner's bucket under the owner's
// key, opened to a role of the consumer, who has a bucket and a key of its own.
type World struct {
	Cloud                 *awsfake.Cloud
	Owner, Consumer       *awsfake.Account
	OwnerKey, ConsumerKey *awsfake.Key
	Source, Destination   *awsfake.Bucket
	Base                  *awsfake.User // who assumes the role
	Role                  *awsfake.Role
	Endpoint              string
	Client                *http.Client
}

// New is a world whose cloud also listens.
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

// AllowAll allows everything.
func AllowAll() *iam.Document {
	return iam.MustParse(`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"*","Resource":"*"}]}`)
}

// Trust lets a principal assume a role.
func Trust(arn string) *iam.Document {
	return iam.MustParse(fmt.Sprintf(`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":%q},
		"Action":["sts:AssumeRole","sts:TagSession","sts:SetSourceIdentity"]}]}`, arn))
}

// BucketPolicy lets a principal list a bucket and read its objects.
func BucketPolicy(bucket, principal string) *iam.Document {
	return iam.MustParse(fmt.Sprintf(`{"Version":"2012-10-17","Statement":[
		{"Effect":"Allow","Principal":{"AWS":%q},"Action":["s3:ListBucket","s3:GetBucketLocation"],"Resource":"arn:aws:s3:::%s"},
		{"Effect":"Allow","Principal":{"AWS":%q},"Action":["s3:GetObject","s3:GetObjectVersion","s3:GetObjectTagging"],"Resource":"arn:aws:s3:::%s/*"}]}`,
		principal, bucket, principal, bucket))
}

// BucketPolicyWithout allows a principal everything on the owner's bucket but an action.
func BucketPolicyWithout(action, principal string) *iam.Document {
	return iam.MustParse(fmt.Sprintf(`{"Version":"2012-10-17","Statement":[
		{"Effect":"Allow","Principal":{"AWS":%q},"NotAction":%q,"Resource":["arn:aws:s3:::owner-data","arn:aws:s3:::owner-data/*"]}]}`, principal, action))
}

// KeyPolicy delegates a key to its owner, and lets a principal do one thing with it through S3.
func KeyPolicy(owner, principal, action string) *iam.Document {
	return iam.MustParse(fmt.Sprintf(`{"Version":"2012-10-17","Statement":[
		{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::%s:root"},"Action":"kms:*","Resource":"*"},
		{"Effect":"Allow","Principal":{"AWS":%q},"Action":%q,"Resource":"*",
		 "Condition":{"StringEquals":{"kms:ViaService":"s3.us-west-2.amazonaws.com"}}}]}`, owner, principal, action))
}

// Config signs with these credentials and reaches the cloud through the listener.
func (w *World) Config(accessKey, secret, token string) aws.Config {
	return aws.Config{
		Region: Region, Credentials: credentials.NewStaticCredentialsProvider(accessKey, secret, token),
		BaseEndpoint: aws.String(w.Endpoint), HTTPClient: w.Client,
		RequestChecksumCalculation: aws.RequestChecksumCalculationWhenSupported,
		ResponseChecksumValidation: aws.ResponseChecksumValidationWhenSupported,
		RetryMaxAttempts:           1,
	}
}

// UserConfig signs as a user.
func (w *World) UserConfig(u *awsfake.User) aws.Config {
	return w.Config(u.AccessKeyID, u.SecretAccessKey, "")
}

// Assume is the configuration of a session of the world's role.
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

// S3Client is a client with path-style addresses.
func S3Client(c aws.Config) *s3.Client {
	return s3.NewFromConfig(c, func(o *s3.Options) { o.UsePathStyle = true })
}

// KMSClient is a client of KMS.
func KMSClient(c aws.Config) *kms.Client { return kms.NewFromConfig(c) }

// Code is the error code of an answer, with its status; "" for success.
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

// Message is the message of a refusal; "" for none.
func Message(err error) string {
	refused, ok := errors.AsType[smithy.APIError](err)
	if !ok {
		return ""
	}
	return refused.ErrorMessage()
}
