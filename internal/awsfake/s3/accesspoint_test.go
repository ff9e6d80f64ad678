package s3_test

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/s3"

	"syncd/internal/awsfake"
	"syncd/internal/awsfake/awsfaketest"
	"syncd/internal/iam"
)

// points are the accounts of an access point test: the owners of the bucket and of the access
// point, and the reader.
type points struct {
	*awsfaketest.World
	partner *awsfake.Account
	point   *awsfake.AccessPoint
	reader  *awsfake.User
}

// newPoints creates a bucket that a user can read only through an access point of a third account.
func newPoints(t *testing.T) *points {
	t.Helper()
	p := &points{World: awsfaketest.New(t, awsfake.Options{Seed: 1})}
	p.partner = p.Cloud.Account("333333333333")
	p.Source = p.Owner.CreateBucket("hidden-data", awsfaketest.Region, awsfake.BucketOptions{})
	p.point = p.partner.CreateAccessPoint("partner", p.Source, nil)
	p.reader = p.Consumer.CreateUser("reader", p.identity("s3:ListBucket", "s3:GetObject", "s3:GetObjectTagging"))
	p.point.SetPolicy(p.policy("s3:ListBucket", "s3:GetObject", "s3:GetObjectTagging"))
	p.Source.SetPolicy(delegation(`"StringEquals":{"s3:DataAccessPointAccount":"333333333333"}`))
	put(t, awsfaketest.S3Client(p.UserConfig(p.Owner.AdminUser())), "hidden-data", "a b/c+d", "hello")
	return p
}

func put(t *testing.T, c *s3.Client, bucket, key, body string) {
	t.Helper()
	if _, err := c.PutObject(t.Context(), &s3.PutObjectInput{Bucket: &bucket, Key: &key, Body: strings.NewReader(body), Tagging: aws.String("a=b")}); err != nil {
		t.Fatal(err)
	}
}

// identity returns a policy that allows the actions on the access point, and writing the copies.
func (p *points) identity(actions ...string) *iam.Document {
	return iam.MustParse(fmt.Sprintf(`{"Version":"2012-10-17","Statement":[
		{"Effect":"Allow","Action":["%s"],"Resource":["%s","%s/object/*"]},
		{"Effect":"Allow","Action":"*","Resource":["arn:aws:s3:::consumer-copy/*","%s"]}]}`,
		strings.Join(actions, `","`), p.point.ARN(), p.point.ARN(), p.ConsumerKey.ARN()))
}

func (p *points) policy(actions ...string) *iam.Document {
	return iam.MustParse(fmt.Sprintf(`{"Version":"2012-10-17","Statement":[
		{"Effect":"Allow","Principal":{"AWS":%q},"Action":["%s"],"Resource":["%s","%s/object/*"]}]}`,
		p.reader.ARN, strings.Join(actions, `","`), p.point.ARN(), p.point.ARN()))
}

// delegation returns a bucket policy that delegates read access to access points.
func delegation(condition string) *iam.Document {
	return iam.MustParse(fmt.Sprintf(`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":"*","Action":"*",
		"Resource":["arn:aws:s3:::hidden-data","arn:aws:s3:::hidden-data/*"],"Condition":{%s}}]}`, condition))
}

// client returns a client that uses the in-memory entry point, with AWS's host names or an
// endpoint.
func (p *points) client(u *awsfake.User, endpoint string) *s3.Client {
	c := aws.Config{
		Region: awsfaketest.Region, Credentials: credentials.NewStaticCredentialsProvider(u.AccessKeyID, u.SecretAccessKey, ""),
		HTTPClient: &http.Client{Transport: p.Cloud.RoundTripper()}, RetryMaxAttempts: 1,
	}
	return s3.NewFromConfig(c, func(o *s3.Options) {
		if endpoint != "" {
			o.BaseEndpoint = &endpoint
		}
	})
}

// read lists, reads and copies the object, and returns the error codes.
func read(t *testing.T, c *s3.Client, bucket, owner string) (codes []string) {
	t.Helper()
	note := func(request string, err error) {
		if err != nil {
			codes = append(codes, request+" "+awsfaketest.Code(err))
		}
	}
	_, err := c.ListObjectsV2(t.Context(), &s3.ListObjectsV2Input{Bucket: &bucket, ExpectedBucketOwner: &owner})
	note("list", err)
	_, err = c.GetObject(t.Context(), &s3.GetObjectInput{Bucket: &bucket, Key: aws.String("a b/c+d"), ExpectedBucketOwner: &owner})
	note("get", err)
	source := bucket + "/a%20b/c%2Bd"
	if strings.HasPrefix(bucket, "arn:") {
		source = strings.ReplaceAll(bucket, ":", "%3A") + "/object/a%20b/c%2Bd"
	}
	_, err = c.CopyObject(t.Context(), &s3.CopyObjectInput{
		Bucket: aws.String("consumer-copy"), Key: aws.String("k"), CopySource: &source, ExpectedSourceBucketOwner: &owner,
	})
	note("copy", err)
	return codes
}

func TestAccessPoints(t *testing.T) {
	const bucketOwner = "111111111111"
	denied := []string{"list AccessDenied", "get AccessDenied", "copy AccessDenied"}
	tests := []struct {
		name   string
		owner  string
		change func(p *points)
		want   []string
	}{
		{"everything allowed", bucketOwner, nil, nil},
		{"the expected owner is the bucket's, not the access point's", "333333333333", nil, denied},
		{"without the access point's policy", bucketOwner, func(p *points) { p.point.SetPolicy(nil) }, denied},
		{"without the tags in it", bucketOwner, func(p *points) { p.point.SetPolicy(p.policy("s3:ListBucket", "s3:GetObject")) }, []string{"copy AccessDenied"}},
		{"without the bucket's policy", bucketOwner, func(p *points) { p.Source.SetPolicy(nil) }, denied},
		{
			"delegated to another account's", bucketOwner,
			func(p *points) {
				p.Source.SetPolicy(delegation(`"StringEquals":{"s3:DataAccessPointAccount":"444444444444"}`))
			}, denied,
		},
		{
			"delegated to this one", bucketOwner,
			func(p *points) {
				p.Source.SetPolicy(delegation(`"StringEquals":{"s3:DataAccessPointArn":"` + p.point.ARN() + `"}`))
			}, nil,
		},
		{
			"delegated to those in a network", bucketOwner,
			func(p *points) {
				p.Source.SetPolicy(delegation(`"StringEquals":{"s3:DataAccessPointAccount":"333333333333","s3:AccessPointNetworkOrigin":"VPC"}`))
			}, denied,
		},
		{
			"an identity policy that names the alias", bucketOwner,
			func(p *points) {
				p.reader = p.Consumer.CreateUser("aliased", iam.MustParse(fmt.Sprintf(
					`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"*","Resource":["arn:aws:s3:::%s","arn:aws:s3:::%s/*","arn:aws:s3:::hidden-data*"]}]}`,
					p.point.Alias(), p.point.Alias())))
				p.point.SetPolicy(p.policy("s3:ListBucket", "s3:GetObject", "s3:GetObjectTagging"))
			}, denied,
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			p := newPoints(t)
			if tt.change != nil {
				tt.change(p)
			}
			for name, way := range map[string]struct{ bucket, endpoint string }{
				"by ARN":             {p.point.ARN(), ""},
				"by alias":           {p.point.Alias(), ""},
				"by ARN elsewhere":   {p.point.ARN(), "http://localhost:9000"},
				"by alias elsewhere": {p.point.Alias(), "http://localhost:9000"},
			} {
				if got := read(t, p.client(p.reader, way.endpoint), way.bucket, tt.owner); !slices.Equal(got, tt.want) {
					t.Errorf("%s: got %q refused, want %q", name, got, tt.want)
				}
			}
			if got := read(t, p.client(p.reader, ""), "hidden-data", bucketOwner); !slices.Equal(got, denied) {
				t.Errorf("without the access point: got %q denied, want %q", got, denied)
			}
		})
	}
}

func TestAccessPointsAreNotBuckets(t *testing.T) {
	p := newPoints(t)
	c := p.client(p.Owner.AdminUser(), "")
	for name, err := range map[string]error{
		"versioning": func() error {
			_, err := c.GetBucketVersioning(t.Context(), &s3.GetBucketVersioningInput{Bucket: aws.String(p.point.Alias())})
			return err
		}(),
		"deleting": func() error {
			_, err := c.DeleteBucket(t.Context(), &s3.DeleteBucketInput{Bucket: aws.String(p.point.Alias())})
			return err
		}(),
	} {
		if got := awsfaketest.Code(err); got != "MethodNotAllowed" {
			t.Errorf("%s: got %q, want MethodNotAllowed", name, got)
		}
	}
	none := strings.Replace(p.point.ARN(), "partner", "nobody", 1)
	if got := read(t, c, none, "111111111111"); !slices.Equal(got, []string{"list NoSuchAccessPoint", "get NoSuchAccessPoint", "copy NoSuchAccessPoint"}) {
		t.Errorf("of none: got %q", got)
	}
}

func TestAccessPointCrossRegionCopy(t *testing.T) {
	p := newPoints(t)
	p.Consumer.CreateBucket("far-copy", "eu-west-1", awsfake.BucketOptions{})
	source := p.point.Alias() + "/a%20b/c%2Bd"
	c := p.client(p.Consumer.AdminUser(), "")
	_, err := c.CopyObject(t.Context(), &s3.CopyObjectInput{Bucket: aws.String("far-copy"), Key: aws.String("k"), CopySource: &source}, func(o *s3.Options) { o.Region = "eu-west-1" })
	if got := awsfaketest.Code(err); got != "InvalidRequest" {
		t.Errorf("got %q, want InvalidRequest", got)
	}
}
