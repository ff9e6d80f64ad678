package core_test

import (
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/sts"

	"syncd/internal/awsfake"
	"syncd/internal/awsfake/awsfaketest"
	"syncd/internal/iam"
)

// through returns the configuration of a client that uses the endpoint.
func through(e *awsfake.Endpoint, c aws.Config) aws.Config {
	c.HTTPClient = &http.Client{Transport: e}
	return c
}

func TestEndpointPolicy(t *testing.T) {
	allow := func(principal, action, resource string) *iam.Document {
		return iam.MustParse(`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":` + principal + `,"Action":"` + action + `","Resource":"` + resource + `"}]}`)
	}
	denied := iam.MustParse(`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":"*","Action":"*","Resource":"*"},
		{"Effect":"Deny","Principal":"*","Action":"s3:PutObject","Resource":"*"}]}`)
	const put = awsfaketest.SessionRefused + `s3:PutObject on resource: "arn:aws:s3:::consumer-copy/key" `
	for _, tt := range []struct {
		name       string
		policy     *iam.Document
		code, want string
	}{
		{"AWS's own", nil, "", ""},
		{"everything for everyone", allow(`"*"`, "s3:*", "*"), "", ""},
		{"for the account", allow(`{"AWS":"222222222222"}`, "s3:*", "*"), "", ""},
		{"for another account", allow(`{"AWS":"111111111111"}`, "s3:*", "*"), "AccessDenied", "Access Denied"},
		{"without the other account's bucket", allow(`"*"`, "s3:*", "arn:aws:s3:::consumer-copy*"), "AccessDenied", "Access Denied"},
		{"without the account's own bucket", allow(`"*"`, "s3:*", "arn:aws:s3:::owner-data*"), "AccessDenied", put + "because no VPC endpoint policy allows the s3:PutObject action"},
		{"explicit deny", denied, "AccessDenied", put + "with an explicit deny in a VPC endpoint policy"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			w := awsfaketest.New(t, awsfake.Options{})
			w.Source.Put("key", awsfake.BytesBody(nil), awsfake.PutOptions{})
			endpoint := w.Cloud.Endpoint("vpce-1", "vpc-1", nil)
			endpoint.SetPolicy(tt.policy)
			_, err := awsfaketest.S3Client(through(endpoint, w.Assume(t, nil))).CopyObject(t.Context(), awsfaketest.CopyKey("key"))
			if awsfaketest.Code(err) != tt.code || awsfaketest.Message(err) != tt.want {
				t.Errorf("got  %s %q\nwant %s %q", awsfaketest.Code(err), awsfaketest.Message(err), tt.code, tt.want)
			}
		})
	}
	t.Run("reasons are shown only within the account", func(t *testing.T) {
		w := awsfaketest.New(t, awsfake.Options{})
		w.Owner.SetOrg("o-1")
		w.Consumer.SetOrg("o-1")
		endpoint := w.Cloud.Endpoint("vpce-1", "vpc-1", allow(`"*"`, "s3:*", "arn:aws:s3:::consumer-copy*"))
		_, err := awsfaketest.S3Client(through(endpoint, w.Assume(t, nil))).ListObjectsV2(t.Context(), &s3.ListObjectsV2Input{Bucket: aws.String("owner-data")})
		if got := awsfaketest.Message(err); got != "Access Denied" {
			t.Errorf("got %q", got)
		}
	})
}

// TestSourceVpce checks a bucket that accepts only requests through one endpoint. S3's own calls to
// KMS do not come through the endpoint.
func TestSourceVpce(t *testing.T) {
	only := func(key, value string) *iam.Document {
		return iam.MustParse(`{"Version":"2012-10-17","Statement":[{"Effect":"Deny","Principal":"*","Action":"s3:*",
			"Resource":["arn:aws:s3:::consumer-copy","arn:aws:s3:::consumer-copy/*"],"Condition":{"StringNotEquals":{"` + key + `":"` + value + `"}}}]}`)
	}
	w := awsfaketest.New(t, awsfake.Options{})
	w.Destination.Put("k", awsfake.BytesBody(nil), awsfake.PutOptions{})
	session := w.Assume(t, nil)
	server := httptest.NewServer(w.Cloud.Endpoint("vpce-1", "vpc-1", nil))
	defer server.Close()
	listener := session
	listener.BaseEndpoint = &server.URL
	entries := map[string]aws.Config{
		"vpce-1": through(w.Cloud.Endpoint("vpce-1", "vpc-1", nil), session), "vpce-2": through(w.Cloud.Endpoint("vpce-2", "vpc-2", nil), session),
		"internet": session, "listener of vpce-1": listener,
	}
	for _, tt := range []struct{ key, value, entry, want string }{
		{"aws:SourceVpce", "vpce-1", "vpce-1", ""},
		{"aws:SourceVpce", "vpce-1", "listener of vpce-1", ""},
		{"aws:SourceVpce", "vpce-1", "vpce-2", "AccessDenied"},
		{"aws:SourceVpce", "vpce-1", "internet", "AccessDenied"},
		{"aws:SourceVpc", "vpc-1", "vpce-1", ""},
		{"aws:SourceVpc", "vpc-1", "vpce-2", "AccessDenied"},
		{"aws:SourceIp", "127.0.0.1", "internet", ""},
		{"aws:SourceIp", "127.0.0.1", "vpce-1", "AccessDenied"},
		{"aws:VpcSourceIp", "127.0.0.1", "vpce-1", ""},
	} {
		t.Run(tt.key+" "+tt.entry, func(t *testing.T) {
			w.Destination.SetPolicy(only(tt.key, tt.value))
			out, err := awsfaketest.S3Client(entries[tt.entry]).GetObject(t.Context(), &s3.GetObjectInput{Bucket: aws.String("consumer-copy"), Key: aws.String("k")})
			if err == nil {
				_ = out.Body.Close()
			}
			if got := awsfaketest.Code(err); got != tt.want {
				t.Errorf("got %q (%v), want %q", got, err, tt.want)
			}
		})
	}
	w.Destination.SetPolicy(nil)
	w.ConsumerKey.SetPolicy(iam.MustParse(`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"222222222222"},"Action":"kms:*","Resource":"*",
		"Condition":{"StringEquals":{"aws:SourceVpce":"vpce-1"}}}]}`))
	_, err := awsfaketest.S3Client(entries["vpce-1"]).GetObject(t.Context(), &s3.GetObjectInput{Bucket: aws.String("consumer-copy"), Key: aws.String("k")})
	if got := awsfaketest.Code(err); got != "AccessDenied" {
		t.Errorf("a key that requires the endpoint: got %q", got)
	}
}

func TestEndpointCrossRegionCopy(t *testing.T) {
	w := awsfaketest.New(t, awsfake.Options{})
	far := w.Owner.CreateBucket("owner-far", "eu-west-1", awsfake.BucketOptions{Policy: awsfaketest.BucketPolicy("owner-far", w.Role.ARN)})
	far.Put("k", awsfake.SyntheticBody(6*awsfaketest.Mebi, 1), awsfake.PutOptions{})
	c := w.Assume(t, nil)
	in := awsfaketest.CopyKey("k")
	in.CopySource = aws.String("owner-far/k")
	if _, err := awsfaketest.S3Client(c).CopyObject(t.Context(), in); err != nil {
		t.Errorf("through the internet: %v", err)
	}
	client := awsfaketest.S3Client(through(w.Cloud.Endpoint("vpce-1", "vpc-1", nil), c))
	_, err := client.CopyObject(t.Context(), in)
	if got := awsfaketest.Message(err); awsfaketest.Code(err) != "AccessDenied" || got != "VPC endpoints do not support cross-region requests" {
		t.Errorf("CopyObject: got %s %q", awsfaketest.Code(err), got)
	}
	_, err = client.UploadPartCopy(t.Context(), &s3.UploadPartCopyInput{
		Bucket: aws.String("consumer-copy"), Key: aws.String("k"), UploadId: awsfaketest.StartUpload(t, client, nil).ID, PartNumber: aws.Int32(1), CopySource: in.CopySource,
	})
	if got := awsfaketest.Code(err); got != "AccessDenied" {
		t.Errorf("UploadPartCopy: got %q", got)
	}
}

// TestEndpointServesOnlyS3 checks that requests to other services bypass the endpoint.
func TestEndpointServesOnlyS3(t *testing.T) {
	w := awsfaketest.New(t, awsfake.Options{})
	nothing := iam.MustParse(`{"Version":"2012-10-17","Statement":[{"Effect":"Deny","Principal":"*","Action":"*","Resource":"*"}]}`)
	c := through(w.Cloud.Endpoint("vpce-1", "vpc-1", nothing), w.UserConfig(w.Base))
	if _, err := sts.NewFromConfig(c).AssumeRole(t.Context(), &sts.AssumeRoleInput{RoleArn: &w.Role.ARN, RoleSessionName: aws.String("test")}); err != nil {
		t.Error(err)
	}
}

// TestEndpointAndAbort checks that the endpoint policy also applies to a caller that aborts its own
// upload.
func TestEndpointAndAbort(t *testing.T) {
	w := awsfaketest.New(t, awsfake.Options{})
	c := w.Assume(t, nil)
	upload := awsfaketest.StartUpload(t, awsfaketest.S3Client(c), nil)
	w.Role.SetPolicies(awsfaketest.AllowBut("s3:AbortMultipartUpload"))
	abort := &s3.AbortMultipartUploadInput{Bucket: aws.String("consumer-copy"), Key: aws.String("k"), UploadId: upload.ID}
	reading := w.Cloud.Endpoint("vpce-1", "vpc-1", iam.MustParse(`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":"*","Action":"s3:Get*","Resource":"*"}]}`))
	if _, err := awsfaketest.S3Client(through(reading, c)).AbortMultipartUpload(t.Context(), abort); awsfaketest.Code(err) != "AccessDenied" {
		t.Errorf("through the endpoint: got %v", err)
	}
	if _, err := awsfaketest.S3Client(c).AbortMultipartUpload(t.Context(), abort); err != nil {
		t.Errorf("through the internet: %v", err)
	}
}
