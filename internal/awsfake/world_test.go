package awsfake_test

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

const region = "us-west-2"

// world is two accounts as a cross-account copy meets them: the owner's bucket under the owner's key,
// opened to a role of the consumer, who has a bucket and a key of its own.
type world struct {
	cloud                 *awsfake.Cloud
	owner, consumer       *awsfake.Account
	ownerKey, consumerKey *awsfake.Key
	source, destination   *awsfake.Bucket
	base                  *awsfake.User // who assumes the role
	role                  *awsfake.Role
	endpoint              string
	client                *http.Client
}

func newWorld(tb testing.TB, o awsfake.Options) *world {
	tb.Helper()
	w := &world{cloud: awsfake.New(o)}
	w.owner, w.consumer = w.cloud.Account("111111111111"), w.cloud.Account("222222222222")
	roleARN := "arn:aws:iam::222222222222:role/syncd"
	w.ownerKey = w.owner.CreateKey(region, keyPolicy("111111111111", roleARN, "kms:Decrypt"))
	w.consumerKey = w.consumer.CreateKey(region, nil)
	w.source = w.owner.CreateBucket("owner-data", region, awsfake.BucketOptions{KeyARN: w.ownerKey.ARN(), Policy: bucketPolicy("owner-data", roleARN)})
	w.destination = w.consumer.CreateBucket("consumer-copy", region, awsfake.BucketOptions{KeyARN: w.consumerKey.ARN()})
	w.base = w.consumer.AdminUser()
	w.role = w.consumer.CreateRole("syncd", trust(w.base.ARN), awsfake.RoleOptions{Policies: []*iam.Document{allowAll()}})
	server := httptest.NewServer(w.cloud)
	tb.Cleanup(server.Close)
	w.endpoint, w.client = server.URL, server.Client()
	return w
}

func allowAll() *iam.Document {
	return iam.MustParse(`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"*","Resource":"*"}]}`)
}

func trust(arn string) *iam.Document {
	return iam.MustParse(fmt.Sprintf(`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":%q},
		"Action":["sts:AssumeRole","sts:TagSession","sts:SetSourceIdentity"]}]}`, arn))
}

func bucketPolicy(bucket, principal string) *iam.Document {
	return iam.MustParse(fmt.Sprintf(`{"Version":"2012-10-17","Statement":[
		{"Effect":"Allow","Principal":{"AWS":%q},"Action":["s3:ListBucket","s3:GetBucketLocation"],"Resource":"arn:aws:s3:::%s"},
		{"Effect":"Allow","Principal":{"AWS":%q},"Action":["s3:GetObject","s3:GetObjectVersion","s3:GetObjectTagging"],"Resource":"arn:aws:s3:::%s/*"}]}`,
		principal, bucket, principal, bucket))
}

func bucketPolicyWithout(action, principal string) *iam.Document {
	return iam.MustParse(fmt.Sprintf(`{"Version":"2012-10-17","Statement":[
		{"Effect":"Allow","Principal":{"AWS":%q},"NotAction":%q,"Resource":["arn:aws:s3:::owner-data","arn:aws:s3:::owner-data/*"]}]}`, principal, action))
}

func keyPolicy(owner, principal, action string) *iam.Document {
	return iam.MustParse(fmt.Sprintf(`{"Version":"2012-10-17","Statement":[
		{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::%s:root"},"Action":"kms:*","Resource":"*"},
		{"Effect":"Allow","Principal":{"AWS":%q},"Action":%q,"Resource":"*",
		 "Condition":{"StringEquals":{"kms:ViaService":"s3.us-west-2.amazonaws.com"}}}]}`, owner, principal, action))
}

// config signs with these credentials and reaches the cloud through the listener.
func (w *world) config(accessKey, secret, token string) aws.Config {
	return aws.Config{
		Region: region, Credentials: credentials.NewStaticCredentialsProvider(accessKey, secret, token),
		BaseEndpoint: aws.String(w.endpoint), HTTPClient: w.client,
		RequestChecksumCalculation: aws.RequestChecksumCalculationWhenSupported,
		ResponseChecksumValidation: aws.ResponseChecksumValidationWhenSupported,
		RetryMaxAttempts:           1,
	}
}

func (w *world) userConfig(u *awsfake.User) aws.Config {
	return w.config(u.AccessKeyID, u.SecretAccessKey, "")
}

// assume is the configuration of a session of the world's role.
func (w *world) assume(tb testing.TB, change func(*sts.AssumeRoleInput)) aws.Config {
	tb.Helper()
	in := &sts.AssumeRoleInput{RoleArn: &w.role.ARN, RoleSessionName: aws.String("test")}
	if change != nil {
		change(in)
	}
	out, err := sts.NewFromConfig(w.userConfig(w.base)).AssumeRole(tb.Context(), in)
	if err != nil {
		tb.Fatalf("assume %s: %v", w.role.ARN, err)
	}
	c := out.Credentials
	return w.config(*c.AccessKeyId, *c.SecretAccessKey, *c.SessionToken)
}

func s3Client(c aws.Config) *s3.Client {
	return s3.NewFromConfig(c, func(o *s3.Options) { o.UsePathStyle = true })
}

func kmsClient(c aws.Config) *kms.Client { return kms.NewFromConfig(c) }

// code is the error code of an answer, with its status; "" for success.
func code(err error) string {
	if err == nil {
		return ""
	}
	refused, ok := errors.AsType[smithy.APIError](err)
	if !ok {
		return err.Error()
	}
	return refused.ErrorCode()
}

func message(err error) string {
	refused, ok := errors.AsType[smithy.APIError](err)
	if !ok {
		return ""
	}
	return refused.ErrorMessage()
}
