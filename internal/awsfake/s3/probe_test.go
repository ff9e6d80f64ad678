package s3_test

import (
	"context"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/kms"

	"syncd/internal/awsfake/awsfaketest"

	kmstypes "github.com/aws/aws-sdk-go-v2/service/kms/types"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"

	"syncd/internal/awsfake"
	"syncd/internal/iam"
)

// TestEveryOperationNeedsItsAction checks that each operation fails for a caller that is denied its
// action and allowed everything else.
func TestEveryOperationNeedsItsAction(t *testing.T) {
	bucket, key, keyARN := aws.String("consumer-copy"), aws.String("k"), ""
	type call = func(context.Context, *s3.Client, *kms.Client) error
	s3Calls := map[string]call{
		"s3:ListBucket": func(ctx context.Context, c *s3.Client, _ *kms.Client) error {
			_, err := c.HeadBucket(ctx, &s3.HeadBucketInput{Bucket: bucket})
			return err
		},
		"s3:GetBucketLocation": func(ctx context.Context, c *s3.Client, _ *kms.Client) error {
			_, err := c.GetBucketLocation(ctx, &s3.GetBucketLocationInput{Bucket: bucket})
			return err
		},
		"s3:GetBucketPolicy": func(ctx context.Context, c *s3.Client, _ *kms.Client) error {
			_, err := c.GetBucketPolicy(ctx, &s3.GetBucketPolicyInput{Bucket: bucket})
			return err
		},
		"s3:GetBucketPolicyStatus": func(ctx context.Context, c *s3.Client, _ *kms.Client) error {
			_, err := c.GetBucketPolicyStatus(ctx, &s3.GetBucketPolicyStatusInput{Bucket: bucket})
			return err
		},
		"s3:GetEncryptionConfiguration": func(ctx context.Context, c *s3.Client, _ *kms.Client) error {
			_, err := c.GetBucketEncryption(ctx, &s3.GetBucketEncryptionInput{Bucket: bucket})
			return err
		},
		"s3:GetBucketPublicAccessBlock": func(ctx context.Context, c *s3.Client, _ *kms.Client) error {
			_, err := c.GetPublicAccessBlock(ctx, &s3.GetPublicAccessBlockInput{Bucket: bucket})
			return err
		},
		"s3:GetBucketOwnershipControls": func(ctx context.Context, c *s3.Client, _ *kms.Client) error {
			_, err := c.GetBucketOwnershipControls(ctx, &s3.GetBucketOwnershipControlsInput{Bucket: bucket})
			return err
		},
		"s3:GetBucketVersioning": func(ctx context.Context, c *s3.Client, _ *kms.Client) error {
			_, err := c.GetBucketVersioning(ctx, &s3.GetBucketVersioningInput{Bucket: bucket})
			return err
		},
		"s3:GetBucketRequestPayment": func(ctx context.Context, c *s3.Client, _ *kms.Client) error {
			_, err := c.GetBucketRequestPayment(ctx, &s3.GetBucketRequestPaymentInput{Bucket: bucket})
			return err
		},
		"s3:GetBucketObjectLockConfiguration": func(ctx context.Context, c *s3.Client, _ *kms.Client) error {
			_, err := c.GetObjectLockConfiguration(ctx, &s3.GetObjectLockConfigurationInput{Bucket: bucket})
			return err
		},
		"s3:ListBucketMultipartUploads": func(ctx context.Context, c *s3.Client, _ *kms.Client) error {
			_, err := c.ListMultipartUploads(ctx, &s3.ListMultipartUploadsInput{Bucket: bucket})
			return err
		},
		"s3:ListBucketVersions": func(ctx context.Context, c *s3.Client, _ *kms.Client) error {
			_, err := c.ListObjectVersions(ctx, &s3.ListObjectVersionsInput{Bucket: bucket})
			return err
		},
		"s3:GetObjectRetention": func(ctx context.Context, c *s3.Client, _ *kms.Client) error {
			_, err := c.GetObjectRetention(ctx, &s3.GetObjectRetentionInput{Bucket: bucket, Key: key})
			return err
		},
		"s3:GetObjectLegalHold": func(ctx context.Context, c *s3.Client, _ *kms.Client) error {
			_, err := c.GetObjectLegalHold(ctx, &s3.GetObjectLegalHoldInput{Bucket: bucket, Key: key})
			return err
		},
		"s3:ListObjectAnnotations": func(ctx context.Context, c *s3.Client, _ *kms.Client) error {
			_, err := c.ListObjectAnnotations(ctx, &s3.ListObjectAnnotationsInput{Bucket: bucket, Key: key})
			return err
		},
		"s3:GetObjectAnnotation": func(ctx context.Context, c *s3.Client, _ *kms.Client) error {
			_, err := c.GetObjectAnnotation(ctx, &s3.GetObjectAnnotationInput{Bucket: bucket, Key: key, AnnotationName: aws.String("note")})
			return err
		},
		"s3:PutObjectAnnotation": func(ctx context.Context, c *s3.Client, _ *kms.Client) error {
			_, err := c.PutObjectAnnotation(ctx, &s3.PutObjectAnnotationInput{
				Bucket: bucket, Key: key, AnnotationName: aws.String("note"), AnnotationPayload: strings.NewReader("x"),
			})
			return err
		},
		"s3:DeleteObjectAnnotation": func(ctx context.Context, c *s3.Client, _ *kms.Client) error {
			_, err := c.DeleteObjectAnnotation(ctx, &s3.DeleteObjectAnnotationInput{Bucket: bucket, Key: key, AnnotationName: aws.String("note")})
			return err
		},
		"s3:GetObjectAttributes": func(ctx context.Context, c *s3.Client, _ *kms.Client) error {
			_, err := c.GetObjectAttributes(ctx, &s3.GetObjectAttributesInput{Bucket: bucket, Key: key, ObjectAttributes: []types.ObjectAttributes{"ETag"}})
			return err
		},
		"s3:GetObjectTagging": func(ctx context.Context, c *s3.Client, _ *kms.Client) error {
			_, err := c.GetObjectTagging(ctx, &s3.GetObjectTaggingInput{Bucket: bucket, Key: key})
			return err
		},
		"s3:DeleteObject": func(ctx context.Context, c *s3.Client, _ *kms.Client) error {
			_, err := c.DeleteObject(ctx, &s3.DeleteObjectInput{Bucket: bucket, Key: aws.String("other")})
			return err
		},
		"s3:DeleteObjectVersion": func(ctx context.Context, c *s3.Client, _ *kms.Client) error {
			_, err := c.DeleteObject(ctx, &s3.DeleteObjectInput{Bucket: bucket, Key: aws.String("other"), VersionId: aws.String("v")})
			return err
		},
		"kms:DescribeKey": func(ctx context.Context, _ *s3.Client, c *kms.Client) error {
			_, err := c.DescribeKey(ctx, &kms.DescribeKeyInput{KeyId: &keyARN})
			return err
		},
		"kms:GetKeyPolicy": func(ctx context.Context, _ *s3.Client, c *kms.Client) error {
			_, err := c.GetKeyPolicy(ctx, &kms.GetKeyPolicyInput{KeyId: &keyARN})
			return err
		},
		"kms:GenerateDataKey": func(ctx context.Context, _ *s3.Client, c *kms.Client) error {
			_, err := c.GenerateDataKey(ctx, &kms.GenerateDataKeyInput{KeyId: &keyARN, KeySpec: kmstypes.DataKeySpecAes256, DryRun: aws.Bool(true)})
			return err
		},
		"kms:Decrypt": func(ctx context.Context, _ *s3.Client, c *kms.Client) error {
			_, err := c.Decrypt(ctx, &kms.DecryptInput{
				KeyId: &keyARN, DryRun: aws.Bool(true), DryRunModifiers: []kmstypes.DryRunModifierType{kmstypes.DryRunModifierTypeIgnoreCiphertext},
			})
			return err
		},
	}
	for action, call := range s3Calls {
		t.Run(action, func(t *testing.T) {
			w := awsfaketest.New(t, awsfake.Options{})
			keyARN = w.ConsumerKey.ARN()
			w.Destination.SetPolicy(awsfaketest.BucketPolicy("consumer-copy", "111111111111"))
			w.Destination.Put("k", awsfake.BytesBody(nil), awsfake.PutOptions{Annotations: map[string]string{"note": "x"}})
			user := w.Consumer.CreateUser("prober", awsfaketest.AllowAll())
			c := w.UserConfig(user)
			allowed := awsfaketest.Code(call(t.Context(), awsfaketest.S3Client(c), awsfaketest.KMSClient(c)))
			nothing := []string{"", "ObjectLockConfigurationNotFoundError", "NoSuchObjectLockConfiguration", "DryRunOperationException"}
			if !slices.Contains(nothing, allowed) {
				t.Errorf("with it: got %q", allowed)
			}
			user.SetPolicies(awsfaketest.AllowBut(action))
			err := call(t.Context(), awsfaketest.S3Client(c), awsfaketest.KMSClient(c))
			switch got := awsfaketest.Code(err); {
			case got == "Forbidden" && action == "s3:ListBucket":
			case !strings.HasPrefix(got, "AccessDenied") || !strings.Contains(awsfaketest.Message(err), action):
				t.Errorf("without it: got %v", err)
			}
		})
	}
}

// TestBucketPolicyAcrossAccounts checks that another account cannot read a bucket policy, even if
// the policy allows it.
func TestBucketPolicyAcrossAccounts(t *testing.T) {
	w := awsfaketest.New(t, awsfake.Options{})
	w.Source.SetPolicy(awsfaketest.BucketPolicyWithout("x:y", w.Role.ARN))
	w.OwnerKey.SetPolicy(iam.MustParse(`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"222222222222"},"Action":"kms:*","Resource":"*"}]}`))
	c := w.Assume(t, nil)
	if _, err := awsfaketest.S3Client(c).GetBucketPolicy(t.Context(), &s3.GetBucketPolicyInput{Bucket: aws.String("owner-data")}); awsfaketest.Code(err) != "MethodNotAllowed" {
		t.Errorf("bucket policy: got %v", err)
	}
	keyARN := aws.String(w.OwnerKey.ARN())
	if _, err := awsfaketest.KMSClient(c).GetKeyPolicy(t.Context(), &kms.GetKeyPolicyInput{KeyId: keyARN}); awsfaketest.Code(err) != "AccessDeniedException" {
		t.Errorf("key policy: got %v", err)
	}
	if _, err := awsfaketest.KMSClient(c).DescribeKey(t.Context(), &kms.DescribeKeyInput{KeyId: keyARN}); err != nil {
		t.Errorf("describe: %v", err)
	}
	w.Source.SetPolicy(nil)
	if _, err := awsfaketest.S3Client(c).GetBucketPolicy(t.Context(), &s3.GetBucketPolicyInput{Bucket: aws.String("owner-data")}); awsfaketest.Code(err) != "AccessDenied" {
		t.Errorf("bucket policy without permission: got %v", err)
	}
}

// TestHeadHidesReasons checks that a denied HEAD returns only a status.
func TestHeadHidesReasons(t *testing.T) {
	w := awsfaketest.New(t, awsfake.Options{})
	c := w.Assume(t, nil)
	for target, want := range map[string]int{"/owner-data": 200, "/owner-data/absent": 404, "/absent": 404} {
		got := awsfaketest.RoundTrip(t, w, awsfaketest.SignedRequest(t, c, "HEAD", w.Endpoint+target, nil))
		if got.Status != want || got.Body != "" {
			t.Errorf("HEAD %s: got %d %q, want %d", target, got.Status, got.Body, want)
		}
	}
	head := awsfaketest.RoundTrip(t, w, awsfaketest.SignedRequest(t, c, "HEAD", w.Endpoint+"/owner-data", nil))
	if got := head.Header.Get("X-Amz-Bucket-Region"); got != awsfaketest.Region {
		t.Errorf("region: got %q, want %q", got, awsfaketest.Region)
	}
	w.Role.SetPolicies()
	if got := awsfaketest.RoundTrip(t, w, awsfaketest.SignedRequest(t, c, "HEAD", w.Endpoint+"/consumer-copy/k", nil)); got.Status != 403 || got.Body != "" {
		t.Errorf("refused: got %d %q, want 403 and nothing", got.Status, got.Body)
	}
}

// TestDeleteObjectsAuthorisesEachKey checks that DeleteObjects authorises each key separately, and
// that deleting a version requires s3:DeleteObjectVersion.
func TestDeleteObjectsAuthorisesEachKey(t *testing.T) {
	w := awsfaketest.New(t, awsfake.Options{})
	w.Role.SetPolicies(awsfaketest.ExceptIn("consumer-copy", "s3:DeleteObjectVersion"))
	w.Destination.Put("a", awsfake.BytesBody(nil), awsfake.PutOptions{})
	out, err := awsfaketest.S3Client(w.Assume(t, nil)).DeleteObjects(t.Context(), &s3.DeleteObjectsInput{Bucket: aws.String("consumer-copy"), Delete: &types.Delete{
		Objects: []types.ObjectIdentifier{{Key: aws.String("a")}, {Key: aws.String("b"), VersionId: aws.String("null")}},
	}})
	if err != nil {
		t.Fatal(err)
	}
	if len(out.Deleted) != 1 || *out.Deleted[0].Key != "a" || len(out.Errors) != 1 || *out.Errors[0].Code != "AccessDenied" || *out.Errors[0].Key != "b" {
		t.Errorf("deleted %+v, errors %+v", out.Deleted, out.Errors)
	}
}
