package awsfake_test

import (
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"

	"syncd/internal/awsfake"
	"syncd/internal/iam"
)

const session = "User: arn:aws:sts::222222222222:assumed-role/syncd/test is not authorized to perform: "

// TestRefusals takes one thing away from a copy that works, and reads what AWS says.
func TestRefusals(t *testing.T) {
	tests := []struct {
		name     string
		take     func(*world)
		wantCode string
		want     string // the message, or its beginning when it ends in "..."
	}{
		{"nothing taken", func(*world) {}, "", ""},
		{"bucket policy, other organization", func(w *world) { w.source.SetPolicy(nil) }, "AccessDenied", "Access Denied"},
		{"bucket policy, same organization", func(w *world) {
			w.owner.SetOrg("o-1")
			w.consumer.SetOrg("o-1")
			w.source.SetPolicy(nil)
		}, "AccessDenied", session + `s3:GetObject on resource: "arn:aws:s3:::owner-data/key" because no resource-based policy allows the s3:GetObject action`},
		{
			"identity policy, own bucket", func(w *world) { w.role.SetPolicies(allowBut("s3:PutObject")) }, "AccessDenied",
			session + `s3:PutObject on resource: "arn:aws:s3:::consumer-copy/key" because no identity-based policy allows the s3:PutObject action`,
		},
		{"explicit deny in the own bucket's policy", func(w *world) {
			w.destination.SetPolicy(iam.MustParse(`{"Version":"2012-10-17","Statement":[{"Effect":"Deny","Principal":"*","Action":"s3:*","Resource":"arn:aws:s3:::consumer-copy/*"}]}`))
		}, "AccessDenied", session + `s3:PutObject on resource: "arn:aws:s3:::consumer-copy/key" with an explicit deny in a resource-based policy`},
		{
			"key policy of the owner", func(w *world) { w.ownerKey.SetPolicy(nil) }, "AccessDenied",
			session + "kms:Decrypt on this resource because the resource does not exist in this Region, no resource-based policies allow access, or a resource-based policy explicitly denies access",
		},
		{
			"identity policy for the owner's key", func(w *world) { w.role.SetPolicies(allowBut("kms:Decrypt")) }, "AccessDenied",
			session + "kms:Decrypt on the resource associated with this ciphertext because no identity-based policy allows the kms:Decrypt action",
		},
		{
			"identity policy for the own key", func(w *world) { w.role.SetPolicies(allowBut("kms:GenerateDataKey")) }, "AccessDenied",
			session + "kms:GenerateDataKey on resource: arn:aws:kms:...",
		},
		{"owner's key disabled", func(w *world) { w.ownerKey.SetEnabled(false) }, "KMS.DisabledException", "arn:aws:kms:..."},
		{"own key pending deletion", func(w *world) { w.consumerKey.ScheduleDeletion() }, "KMS.KMSInvalidStateException", "arn:aws:kms:..."},
		{"key policy that wants another service", func(w *world) {
			w.ownerKey.SetPolicy(iam.MustParse(strings.ReplaceAll(keyPolicy("111111111111", w.role.ARN, "kms:Decrypt").String(), "s3.us-west-2", "ec2.us-west-2")))
		}, "AccessDenied", session + "kms:Decrypt on this resource ..."},
		{"role without any policy", func(w *world) { w.role.SetPolicies() }, "AccessDenied", "Access Denied"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			w := newWorld(t, awsfake.Options{})
			w.source.Put("key", awsfake.BytesBody([]byte("x")), awsfake.PutOptions{})
			client := s3Client(w.assume(t, nil))
			tt.take(w)
			_, err := client.CopyObject(t.Context(), copyKey("key"))
			prefix, cut := strings.CutSuffix(tt.want, "...")
			got := message(err)
			if code(err) != tt.wantCode || cut && !strings.HasPrefix(got, prefix) || !cut && got != tt.want {
				t.Errorf("got  %s %q\nwant %s %q", code(err), got, tt.wantCode, tt.want)
			}
		})
	}
}

func copyKey(key string) *s3.CopyObjectInput {
	return &s3.CopyObjectInput{Bucket: aws.String("consumer-copy"), Key: &key, CopySource: aws.String("owner-data/" + key)}
}

// allowBut allows everything but one action.
func allowBut(action string) *iam.Document {
	return iam.MustParse(`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","NotAction":"` + action + `","Resource":"*"}]}`)
}

// TestEncryptionContextReachesKMS pins the key policy to the context that S3 sends: the object's ARN,
// or with a bucket key the bucket's.
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
			w := newWorld(t, awsfake.Options{})
			w.source.Put("key", awsfake.BytesBody(nil), awsfake.PutOptions{})
			client := s3Client(w.assume(t, nil))
			w.consumerKey.SetPolicy(iam.MustParse(`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"` + w.role.ARN + `"},
				"Action":"kms:GenerateDataKey","Resource":"*","Condition":{"StringEquals":{"kms:EncryptionContext:aws:s3:arn":"` + tt.context + `"}}}]}`))
			in := copyKey("key")
			in.ServerSideEncryption, in.SSEKMSKeyId, in.BucketKeyEnabled = types.ServerSideEncryptionAwsKms, aws.String(w.consumerKey.ARN()), &tt.bucketKey
			_, err := client.CopyObject(t.Context(), in)
			if got := code(err); got != tt.want {
				t.Errorf("got %q (%v), want %q", got, err, tt.want)
			}
		})
	}
}

func TestAbsentKeyIs404OnlyForThoseWhoMayList(t *testing.T) {
	w := newWorld(t, awsfake.Options{})
	client := s3Client(w.assume(t, nil))
	get := func() string {
		_, err := client.GetObject(t.Context(), &s3.GetObjectInput{Bucket: aws.String("consumer-copy"), Key: aws.String("absent")})
		return code(err)
	}
	if got := get(); got != "NoSuchKey" {
		t.Errorf("with s3:ListBucket: got %q", got)
	}
	w.role.SetPolicies(allowBut("s3:ListBucket"))
	if got := get(); got != "AccessDenied" {
		t.Errorf("without s3:ListBucket: got %q", got)
	}
}

func TestExpectedOwners(t *testing.T) {
	w := newWorld(t, awsfake.Options{})
	w.source.Put("key", awsfake.BytesBody(nil), awsfake.PutOptions{})
	client := s3Client(w.assume(t, nil))
	for _, tt := range []struct{ name, destination, source, want string }{
		{"both right", "222222222222", "111111111111", ""},
		{"destination wrong", "111111111111", "111111111111", "AccessDenied"},
		{"source wrong", "222222222222", "222222222222", "AccessDenied"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			in := copyKey("key")
			in.ExpectedBucketOwner, in.ExpectedSourceBucketOwner = &tt.destination, &tt.source
			_, err := client.CopyObject(t.Context(), in)
			if got := code(err); got != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
}

// TestManagedKeyStaysInItsAccount: what lies under aws/s3 cannot be read from another account.
func TestManagedKeyStaysInItsAccount(t *testing.T) {
	w := newWorld(t, awsfake.Options{})
	owner := s3Client(w.userConfig(w.owner.AdminUser()))
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
	_, err = s3Client(w.assume(t, nil)).GetObject(t.Context(), get)
	if got := code(err); got != "AccessDenied" {
		t.Errorf("consumer: got %q, want AccessDenied", got)
	}
}

// TestPolicyConditions meets keys that S3 fills from the request and from the object.
func TestPolicyConditions(t *testing.T) {
	w := newWorld(t, awsfake.Options{})
	w.source.Put("open", awsfake.BytesBody(nil), awsfake.PutOptions{Tags: map[string]string{"share": "yes"}})
	w.source.Put("shut", awsfake.BytesBody(nil), awsfake.PutOptions{Tags: map[string]string{"share": "no"}})
	w.role.SetPolicies(allowAll())
	w.source.SetPolicy(iam.MustParse(`{"Version":"2012-10-17","Statement":[
		{"Effect":"Allow","Principal":{"AWS":"222222222222"},"Action":"s3:GetObject","Resource":"arn:aws:s3:::owner-data/*",
		 "Condition":{"StringEquals":{"s3:ExistingObjectTag/share":"yes"}}},
		{"Effect":"Allow","Principal":{"AWS":"222222222222"},"Action":"s3:ListBucket","Resource":"arn:aws:s3:::owner-data",
		 "Condition":{"StringLike":{"s3:prefix":"public/*"}}}]}`))
	client := s3Client(w.assume(t, nil))
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
		if got := code(tt.err); got != tt.want {
			t.Errorf("%s: got %q, want %q", tt.name, got, tt.want)
		}
	}
}
