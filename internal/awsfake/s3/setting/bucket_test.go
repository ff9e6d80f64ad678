package setting_test

import (
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
	"github.com/google/go-cmp/cmp"

	"syncd/internal/awsfake"
	"syncd/internal/awsfake/awsfaketest"
)

func TestBucketOperations(t *testing.T) {
	w := awsfaketest.New(t, awsfake.Options{})
	client := awsfaketest.S3Client(w.UserConfig(w.Base))
	create := func(name, in string) string {
		_, err := client.CreateBucket(t.Context(), &s3.CreateBucketInput{
			Bucket: &name, CreateBucketConfiguration: &types.CreateBucketConfiguration{LocationConstraint: types.BucketLocationConstraint(in)},
		})
		return awsfaketest.Code(err)
	}
	for _, tt := range []struct{ name, region, want string }{
		{"new-bucket", awsfaketest.Region, ""},
		{"new-bucket", awsfaketest.Region, "BucketAlreadyOwnedByYou"},
		{"owner-data", awsfaketest.Region, "BucketAlreadyExists"},
		{"elsewhere", "eu-west-1", "IllegalLocationConstraintException"},
		{"Upper", awsfaketest.Region, "InvalidBucketName"},
	} {
		if got := create(tt.name, tt.region); got != tt.want {
			t.Errorf("create %s in %s: got %q, want %q", tt.name, tt.region, got, tt.want)
		}
	}
	out, err := client.ListBuckets(t.Context(), &s3.ListBucketsInput{})
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, b := range out.Buckets {
		names = append(names, *b.Name)
	}
	if diff := cmp.Diff([]string{"consumer-copy", "new-bucket"}, names); diff != "" {
		t.Error(diff)
	}
	location, err := client.GetBucketLocation(t.Context(), &s3.GetBucketLocationInput{Bucket: aws.String("new-bucket")})
	if err != nil || location.LocationConstraint != awsfaketest.Region {
		t.Errorf("location %v, %v", location, err)
	}
	w.Destination.Put("k", awsfake.BytesBody(nil), awsfake.PutOptions{})
	for name, want := range map[string]string{"consumer-copy": "BucketNotEmpty", "new-bucket": "", "absent": "NoSuchBucket"} {
		_, err := client.DeleteBucket(t.Context(), &s3.DeleteBucketInput{Bucket: &name})
		if got := awsfaketest.Code(err); got != want {
			t.Errorf("delete %s: got %q, want %q", name, got, want)
		}
	}
}

func TestBucketSettings(t *testing.T) {
	w := awsfaketest.New(t, awsfake.Options{})
	client := awsfaketest.S3Client(w.UserConfig(w.Base))
	name := aws.String("consumer-copy")
	if _, err := client.GetBucketPolicy(t.Context(), &s3.GetBucketPolicyInput{Bucket: name}); awsfaketest.Code(err) != "NoSuchBucketPolicy" {
		t.Errorf("no policy: got %v", err)
	}
	policy := awsfaketest.BucketPolicy("consumer-copy", "111111111111").String()
	if _, err := client.PutBucketPolicy(t.Context(), &s3.PutBucketPolicyInput{Bucket: name, Policy: &policy}); err != nil {
		t.Fatal(err)
	}
	got, err := client.GetBucketPolicy(t.Context(), &s3.GetBucketPolicyInput{Bucket: name})
	if err != nil || *got.Policy != policy {
		t.Errorf("policy: got %v, %v", got, err)
	}
	_, err = client.PutBucketPolicy(t.Context(), &s3.PutBucketPolicyInput{Bucket: name, Policy: aws.String(`{"Statement":[{"Effect":"Allow","Action":"s3:*","Resource":"*"}]}`)})
	if awsfaketest.Code(err) != "MalformedPolicy" {
		t.Errorf("a policy without a principal: got %v", err)
	}
	_, err = client.PutBucketEncryption(t.Context(), &s3.PutBucketEncryptionInput{Bucket: name, ServerSideEncryptionConfiguration: &types.ServerSideEncryptionConfiguration{
		Rules: []types.ServerSideEncryptionRule{{
			ApplyServerSideEncryptionByDefault: &types.ServerSideEncryptionByDefault{SSEAlgorithm: "aws:kms", KMSMasterKeyID: aws.String(w.ConsumerKey.ARN())}, BucketKeyEnabled: aws.Bool(true),
		}},
	}})
	if err != nil {
		t.Fatal(err)
	}
	if info := w.Destination.Put("k", awsfake.BytesBody(nil), awsfake.PutOptions{}); !info.BucketKey || info.KeyARN != w.ConsumerKey.ARN() {
		t.Errorf("default encryption did not apply: %+v", info)
	}
	encryption, err := client.GetBucketEncryption(t.Context(), &s3.GetBucketEncryptionInput{Bucket: name})
	if err != nil || !*encryption.ServerSideEncryptionConfiguration.Rules[0].BucketKeyEnabled {
		t.Errorf("encryption: %+v, %v", encryption, err)
	}
	_, err = client.PutBucketVersioning(t.Context(), &s3.PutBucketVersioningInput{Bucket: name, VersioningConfiguration: &types.VersioningConfiguration{Status: types.BucketVersioningStatusEnabled}})
	if err != nil {
		t.Fatal(err)
	}
	versioning, err := client.GetBucketVersioning(t.Context(), &s3.GetBucketVersioningInput{Bucket: name})
	if err != nil || versioning.Status != types.BucketVersioningStatusEnabled {
		t.Errorf("versioning: %+v, %v", versioning, err)
	}
	head, err := client.HeadBucket(t.Context(), &s3.HeadBucketInput{Bucket: name})
	if err != nil || aws.ToString(head.BucketRegion) != awsfaketest.Region {
		t.Errorf("head: %+v, %v", head, err)
	}
	ownership, err := client.GetBucketOwnershipControls(t.Context(), &s3.GetBucketOwnershipControlsInput{Bucket: name})
	if err != nil || ownership.OwnershipControls.Rules[0].ObjectOwnership != types.ObjectOwnershipBucketOwnerEnforced {
		t.Errorf("ownership: %+v, %v", ownership, err)
	}
	block, err := client.GetPublicAccessBlock(t.Context(), &s3.GetPublicAccessBlockInput{Bucket: name})
	if err != nil || !*block.PublicAccessBlockConfiguration.RestrictPublicBuckets {
		t.Errorf("public access block: %+v, %v", block, err)
	}
}

// TestCopyDirectives checks what a copy inherits from its source.
func TestCopyDirectives(t *testing.T) {
	w := awsfaketest.New(t, awsfake.Options{})
	w.Source.Put("k", awsfake.BytesBody([]byte("x")), awsfake.PutOptions{
		ContentType: "text/x", Metadata: map[string]string{"a": "1"}, Tags: map[string]string{"t": "1"}, StorageClass: "STANDARD_IA",
	})
	client := awsfaketest.S3Client(w.Assume(t, nil))
	type result struct {
		Type, Class    string
		Metadata, Tags map[string]string
	}
	for _, tt := range []struct {
		name   string
		change func(*s3.CopyObjectInput)
		want   result
	}{
		{"by default", func(*s3.CopyObjectInput) {}, result{"text/x", "STANDARD", map[string]string{"a": "1"}, map[string]string{"t": "1"}}},
		{
			"metadata replaced", func(in *s3.CopyObjectInput) { in.MetadataDirective = types.MetadataDirectiveReplace },
			result{"binary/octet-stream", "STANDARD", map[string]string{}, map[string]string{"t": "1"}},
		},
		{"tags replaced", func(in *s3.CopyObjectInput) {
			in.TaggingDirective, in.Tagging = types.TaggingDirectiveReplace, aws.String("u=2")
		}, result{"text/x", "STANDARD", map[string]string{"a": "1"}, map[string]string{"u": "2"}}},
		{
			"class asked for", func(in *s3.CopyObjectInput) { in.StorageClass = types.StorageClassGlacierIr },
			result{"text/x", "GLACIER_IR", map[string]string{"a": "1"}, map[string]string{"t": "1"}},
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			in := awsfaketest.CopyKey("k")
			tt.change(in)
			if _, err := client.CopyObject(t.Context(), in); err != nil {
				t.Fatal(err)
			}
			got, _ := w.Destination.Object("k")
			if diff := cmp.Diff(tt.want, result{got.ContentType, got.StorageClass, got.Metadata, got.Tags}); diff != "" {
				t.Error(diff)
			}
		})
	}
	w.Source.SetPolicy(awsfaketest.BucketPolicyWithout("s3:GetObjectTagging", w.Role.ARN))
	if _, err := client.CopyObject(t.Context(), awsfaketest.CopyKey("k")); awsfaketest.Code(err) != "AccessDenied" {
		t.Errorf("tags without s3:GetObjectTagging: got %v", err)
	}
	own := &s3.CopyObjectInput{Bucket: aws.String("consumer-copy"), Key: aws.String("k"), CopySource: aws.String("consumer-copy/k")}
	if _, err := client.CopyObject(t.Context(), own); awsfaketest.Code(err) != "InvalidRequest" {
		t.Errorf("onto itself: got %v", err)
	}
}

// TestConcurrentWriters exercises concurrent requests for the race detector, and checks that only
// one of several writers creates a key.
func TestConcurrentWriters(t *testing.T) {
	w := awsfaketest.New(t, awsfake.Options{})
	client := awsfaketest.S3Client(w.UserConfig(w.Base))
	var wg sync.WaitGroup
	var created [8]bool
	for i := range created {
		wg.Go(func() {
			_, err := client.PutObject(t.Context(), &s3.PutObjectInput{
				Bucket: aws.String("consumer-copy"), Key: aws.String("one"), Body: strings.NewReader("x"), IfNoneMatch: aws.String("*"),
			})
			created[i] = err == nil
			for n := range 20 {
				key := fmt.Sprintf("%d/%d", i, n)
				w.Destination.Put(key, awsfake.BytesBody(nil), awsfake.PutOptions{})
				if _, err := client.ListObjectsV2(t.Context(), &s3.ListObjectsV2Input{Bucket: aws.String("consumer-copy")}); err != nil {
					t.Error(err)
				}
				if n%2 == 0 {
					w.Destination.Delete(key)
				}
			}
		})
	}
	wg.Wait()
	n := 0
	for _, ok := range created {
		if ok {
			n++
		}
	}
	if n != 1 || len(w.Destination.Keys()) != 8*10+1 {
		t.Errorf("%d writers created the key, %d keys", n, len(w.Destination.Keys()))
	}
}
