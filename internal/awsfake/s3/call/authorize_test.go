package call_test

import (
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"

	"syncd/internal/awsfake"
	"syncd/internal/awsfake/awsfaketest"
	"syncd/internal/iam"
)

// TestRefusals checks AWS's error message for a copy from which one permission was removed.
func TestRefusals(t *testing.T) {
	tests := []struct {
		name     string
		take     func(*awsfaketest.World)
		wantCode string
		want     string // the message, or its prefix if it ends in "..."
	}{
		{"nothing removed", func(*awsfaketest.World) {}, "", ""},
		{"bucket policy, other organization", func(w *awsfaketest.World) { w.Source.SetPolicy(nil) }, "AccessDenied", "Access Denied"},
		{"bucket policy, same organization", func(w *awsfaketest.World) {
			w.Owner.SetOrg("o-1")
			w.Consumer.SetOrg("o-1")
			w.Source.SetPolicy(nil)
		}, "AccessDenied", awsfaketest.SessionRefused + `s3:GetObject on resource: "arn:aws:s3:::owner-data/key" because no resource-based policy allows the s3:GetObject action`},
		{
			"identity policy, own bucket", func(w *awsfaketest.World) { w.Role.SetPolicies(awsfaketest.AllowBut("s3:PutObject")) }, "AccessDenied",
			awsfaketest.SessionRefused + `s3:PutObject on resource: "arn:aws:s3:::consumer-copy/key" because no identity-based policy allows the s3:PutObject action`,
		},
		{"explicit deny in the own bucket's policy", func(w *awsfaketest.World) {
			w.Destination.SetPolicy(iam.MustParse(`{"Version":"2012-10-17","Statement":[{"Effect":"Deny","Principal":"*","Action":"s3:*","Resource":"arn:aws:s3:::consumer-copy/*"}]}`))
		}, "AccessDenied", awsfaketest.SessionRefused + `s3:PutObject on resource: "arn:aws:s3:::consumer-copy/key" with an explicit deny in a resource-based policy`},
		{
			"key policy of the owner", func(w *awsfaketest.World) { w.OwnerKey.SetPolicy(nil) }, "AccessDenied",
			awsfaketest.SessionRefused + "kms:Decrypt on this resource because the resource does not exist in this Region, no resource-based policies allow access, or a resource-based policy explicitly denies access",
		},
		{
			"identity policy for the owner's key", func(w *awsfaketest.World) { w.Role.SetPolicies(awsfaketest.AllowBut("kms:Decrypt")) }, "AccessDenied",
			awsfaketest.SessionRefused + "kms:Decrypt on the resource associated with this ciphertext because no identity-based policy allows the kms:Decrypt action",
		},
		{
			"identity policy for the own key", func(w *awsfaketest.World) { w.Role.SetPolicies(awsfaketest.AllowBut("kms:GenerateDataKey")) }, "AccessDenied",
			awsfaketest.SessionRefused + "kms:GenerateDataKey on resource: arn:aws:kms:...",
		},
		{"owner's key disabled", func(w *awsfaketest.World) { w.OwnerKey.SetEnabled(false) }, "KMS.DisabledException", "arn:aws:kms:..."},
		{"own key pending deletion", func(w *awsfaketest.World) { w.ConsumerKey.ScheduleDeletion() }, "KMS.KMSInvalidStateException", "arn:aws:kms:..."},
		{"key policy that wants another service", func(w *awsfaketest.World) {
			w.OwnerKey.SetPolicy(iam.MustParse(strings.ReplaceAll(awsfaketest.KeyPolicy("111111111111", w.Role.ARN, "kms:Decrypt").String(), "s3.us-west-2", "ec2.us-west-2")))
		}, "AccessDenied", awsfaketest.SessionRefused + "kms:Decrypt on this resource ..."},
		{"role without any policy", func(w *awsfaketest.World) { w.Role.SetPolicies() }, "AccessDenied", "Access Denied"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			w := awsfaketest.New(t, awsfake.Options{})
			w.Source.Put("key", awsfake.BytesBody([]byte("x")), awsfake.PutOptions{})
			client := awsfaketest.S3Client(w.Assume(t, nil))
			tt.take(w)
			_, err := client.CopyObject(t.Context(), awsfaketest.CopyKey("key"))
			prefix, cut := strings.CutSuffix(tt.want, "...")
			got := awsfaketest.Message(err)
			if awsfaketest.Code(err) != tt.wantCode || cut && !strings.HasPrefix(got, prefix) || !cut && got != tt.want {
				t.Errorf("got  %s %q\nwant %s %q", awsfaketest.Code(err), got, tt.wantCode, tt.want)
			}
		})
	}
}

// TestEncryptionContextReachesKMS restricts the key policy to the encryption context that S3 sends:
// the ARN of the object, or the ARN of the bucket if a bucket key is used.
func TestEncryptionContextReachesKMS(t *testing.T) {
	for _, tt := range []struct {
		name, context string
		bucketKey     bool
		want          string
	}{
		{"object ARN", "arn:aws:s3:::consumer-copy/key", false, ""},
		{"bucket ARN without a bucket key", "arn:aws:s3:::consumer-copy", false, "AccessDenied"},
		{"bucket ARN with a bucket key", "arn:aws:s3:::consumer-copy", true, ""},
		{"object ARN with a bucket key", "arn:aws:s3:::consumer-copy/key", true, "AccessDenied"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			w := awsfaketest.New(t, awsfake.Options{})
			w.Source.Put("key", awsfake.BytesBody(nil), awsfake.PutOptions{})
			client := awsfaketest.S3Client(w.Assume(t, nil))
			w.ConsumerKey.SetPolicy(iam.MustParse(`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"` + w.Role.ARN + `"},
				"Action":"kms:GenerateDataKey","Resource":"*","Condition":{"StringEquals":{"kms:EncryptionContext:aws:s3:arn":"` + tt.context + `"}}}]}`))
			in := awsfaketest.CopyKey("key")
			in.ServerSideEncryption, in.SSEKMSKeyId, in.BucketKeyEnabled = types.ServerSideEncryptionAwsKms, aws.String(w.ConsumerKey.ARN()), &tt.bucketKey
			_, err := client.CopyObject(t.Context(), in)
			if got := awsfaketest.Code(err); got != tt.want {
				t.Errorf("got %q (%v), want %q", got, err, tt.want)
			}
		})
	}
}

func TestAbsentKeyIs404OnlyWithListBucket(t *testing.T) {
	w := awsfaketest.New(t, awsfake.Options{})
	client := awsfaketest.S3Client(w.Assume(t, nil))
	get := func() string {
		_, err := client.GetObject(t.Context(), &s3.GetObjectInput{Bucket: aws.String("consumer-copy"), Key: aws.String("absent")})
		return awsfaketest.Code(err)
	}
	if got := get(); got != "NoSuchKey" {
		t.Errorf("with s3:ListBucket: got %q", got)
	}
	w.Role.SetPolicies(awsfaketest.AllowBut("s3:ListBucket"))
	if got := get(); got != "AccessDenied" {
		t.Errorf("without s3:ListBucket: got %q", got)
	}
}

func TestExpectedOwners(t *testing.T) {
	w := awsfaketest.New(t, awsfake.Options{})
	w.Source.Put("key", awsfake.BytesBody(nil), awsfake.PutOptions{})
	client := awsfaketest.S3Client(w.Assume(t, nil))
	for _, tt := range []struct{ name, destination, source, want string }{
		{"both correct", "222222222222", "111111111111", ""},
		{"destination wrong", "111111111111", "111111111111", "AccessDenied"},
		{"source wrong", "222222222222", "222222222222", "AccessDenied"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			in := awsfaketest.CopyKey("key")
			in.ExpectedBucketOwner, in.ExpectedSourceBucketOwner = &tt.destination, &tt.source
			_, err := client.CopyObject(t.Context(), in)
			if got := awsfaketest.Code(err); got != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
}

// TestManagedKeyAcrossAccounts checks that objects encrypted with aws/s3 cannot be read from
// another account.
func TestManagedKeyAcrossAccounts(t *testing.T) {
	w := awsfaketest.New(t, awsfake.Options{})
	owner := awsfaketest.S3Client(w.UserConfig(w.Owner.AdminUser()))
	_, err := owner.PutObject(t.Context(), &s3.PutObjectInput{
		Bucket: aws.String("owner-data"), Key: aws.String("key"), ServerSideEncryption: types.ServerSideEncryptionAwsKms,
		Body: strings.NewReader("x"),
	})
	if err != nil {
		t.Fatal(err)
	}
	get := &s3.GetObjectInput{Bucket: aws.String("owner-data"), Key: aws.String("key")}
	if _, err := owner.GetObject(t.Context(), get); err != nil {
		t.Errorf("owner: %v", err)
	}
	_, err = awsfaketest.S3Client(w.Assume(t, nil)).GetObject(t.Context(), get)
	if got := awsfaketest.Code(err); got != "AccessDenied" {
		t.Errorf("consumer: got %q, want AccessDenied", got)
	}
}

// TestPolicyConditions tests condition keys that S3 sets from the request and from the object.
func TestPolicyConditions(t *testing.T) {
	w := awsfaketest.New(t, awsfake.Options{})
	w.Source.Put("open", awsfake.BytesBody(nil), awsfake.PutOptions{Tags: map[string]string{"share": "yes"}})
	w.Source.Put("shut", awsfake.BytesBody(nil), awsfake.PutOptions{Tags: map[string]string{"share": "no"}})
	w.Role.SetPolicies(awsfaketest.AllowAll())
	w.Source.SetPolicy(iam.MustParse(`{"Version":"2012-10-17","Statement":[
		{"Effect":"Allow","Principal":{"AWS":"222222222222"},"Action":"s3:GetObject","Resource":"arn:aws:s3:::owner-data/*",
		 "Condition":{"StringEquals":{"s3:ExistingObjectTag/share":"yes"}}},
		{"Effect":"Allow","Principal":{"AWS":"222222222222"},"Action":"s3:ListBucket","Resource":"arn:aws:s3:::owner-data",
		 "Condition":{"StringLike":{"s3:prefix":"public/*"}}}]}`))
	client := awsfaketest.S3Client(w.Assume(t, nil))
	get := func(key string) error {
		_, err := client.GetObject(t.Context(), &s3.GetObjectInput{Bucket: aws.String("owner-data"), Key: &key})
		return err
	}
	list := func(prefix *string) error {
		_, err := client.ListObjectsV2(t.Context(), &s3.ListObjectsV2Input{Bucket: aws.String("owner-data"), Prefix: prefix})
		return err
	}
	for _, tt := range []struct {
		name string
		err  error
		want string
	}{
		{"tagged yes", get("open"), ""},
		{"tagged no", get("shut"), "AccessDenied"},
		{"prefix allowed", list(aws.String("public/x")), ""},
		{"prefix elsewhere", list(aws.String("private/")), "AccessDenied"},
		{"no prefix", list(nil), "AccessDenied"},
	} {
		if got := awsfaketest.Code(tt.err); got != tt.want {
			t.Errorf("%s: got %q, want %q", tt.name, got, tt.want)
		}
	}
}
