package directory_test

import (
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/kms"
	"github.com/aws/aws-sdk-go-v2/service/s3"

	"syncd/internal/awsfake"
	"syncd/internal/awsfake/awsfaketest"
	"syncd/internal/iam"
)

// TestDeletedRole checks that a grant to a role ends with the role, even if a role of the same name
// is created later.
func TestDeletedRole(t *testing.T) {
	w := awsfaketest.New(t, awsfake.Options{})
	w.Source.Put("key", awsfake.BytesBody(nil), awsfake.PutOptions{})
	shared := awsfaketest.BucketPolicy("owner-data", w.Role.ARN)
	w.Source.SetPolicy(shared)
	before := awsfaketest.S3Client(w.Assume(t, nil))
	w.Role.Delete()
	w.Role = w.Consumer.CreateRole("syncd", awsfaketest.Trust(w.Base.ARN), awsfake.RoleOptions{Policies: []*iam.Document{awsfaketest.AllowAll()}})
	after := awsfaketest.S3Client(w.Assume(t, nil))
	for name, client := range map[string]*s3.Client{"old session": before, "new role": after} {
		if _, err := client.CopyObject(t.Context(), awsfaketest.CopyKey("key")); awsfaketest.Code(err) != "AccessDenied" {
			t.Errorf("%s: got %v", name, err)
		}
	}
	owner := w.UserConfig(w.Owner.AdminUser())
	bucket, err := awsfaketest.S3Client(owner).GetBucketPolicy(t.Context(), &s3.GetBucketPolicyInput{Bucket: aws.String("owner-data")})
	if err != nil || !strings.Contains(*bucket.Policy, `"AROA`) || strings.Contains(*bucket.Policy, w.Role.ARN) {
		t.Errorf("the bucket policy does not show the id: %v %s", err, *bucket.Policy)
	}
	key, err := awsfaketest.KMSClient(owner).GetKeyPolicy(t.Context(), &kms.GetKeyPolicyInput{KeyId: aws.String(w.OwnerKey.ARN())})
	if err != nil || !strings.Contains(*key.Policy, `"AROA`) {
		t.Errorf("the key policy does not show the id: %v", err)
	}
	if strings.Contains(shared.String(), "AROA") {
		t.Error("the caller's document was changed")
	}
	w.Source.SetPolicy(shared)
	w.OwnerKey.SetPolicy(awsfaketest.KeyPolicy("111111111111", w.Role.ARN, "kms:Decrypt"))
	if _, err := after.CopyObject(t.Context(), awsfaketest.CopyKey("key")); err != nil {
		t.Errorf("granted again: %v", err)
	}
	if _, err := before.CopyObject(t.Context(), awsfaketest.CopyKey("key")); awsfaketest.Code(err) != "AccessDenied" {
		t.Errorf("granted again, old session: got %v", err)
	}
}

// TestSessionOfADeletedRole checks that a session of a deleted role gets none of the grants to a
// later role of the same name, even in its own account.
func TestSessionOfADeletedRole(t *testing.T) {
	w := awsfaketest.New(t, awsfake.Options{})
	w.Destination.Put("k", awsfake.BytesBody(nil), awsfake.PutOptions{})
	read := func(c aws.Config) string {
		_, err := awsfaketest.S3Client(c).HeadObject(t.Context(), &s3.HeadObjectInput{Bucket: aws.String("consumer-copy"), Key: aws.String("k")})
		return awsfaketest.Code(err)
	}
	before := w.Assume(t, nil)
	w.Role.Delete()
	w.Role = w.Consumer.CreateRole("syncd", awsfaketest.Trust(w.Base.ARN), awsfake.RoleOptions{})
	w.Destination.SetPolicy(awsfaketest.BucketPolicy("consumer-copy", w.Role.ARN)) // sufficient within one account
	if got := read(w.Assume(t, nil)); got != "" {
		t.Errorf("the new role: got %q", got)
	}
	if got := read(before); got != "Forbidden" {
		t.Errorf("the old session: got %q", got)
	}
}

// TestDeletedRoleInATrustPolicy checks that a trust policy that names a deleted role does not trust
// a later role of the same name.
func TestDeletedRoleInATrustPolicy(t *testing.T) {
	w := awsfaketest.New(t, awsfake.Options{})
	target := w.Owner.CreateRole("reader", awsfaketest.Trust(w.Role.ARN), awsfake.RoleOptions{})
	if got := awsfaketest.Code(awsfaketest.AssumeAs(t, w.Assume(t, nil), target)); got != "" {
		t.Fatalf("before: got %q", got)
	}
	w.Role.Delete()
	if got := awsfaketest.Code(awsfaketest.AssumeAs(t, w.UserConfig(w.Base), w.Role)); got != "AccessDenied" {
		t.Errorf("the deleted role: got %q", got)
	}
	w.Role = w.Consumer.CreateRole("syncd", awsfaketest.Trust(w.Base.ARN), awsfake.RoleOptions{Policies: []*iam.Document{awsfaketest.AllowAll()}})
	if got := awsfaketest.Code(awsfaketest.AssumeAs(t, w.Assume(t, nil), target)); got != "AccessDenied" {
		t.Errorf("after: got %q", got)
	}
}

func TestUnknownPrincipals(t *testing.T) {
	w := awsfaketest.New(t, awsfake.Options{})
	w.Consumer.CreateBucket("open", awsfaketest.Region, awsfake.BucketOptions{PublicAccess: true})
	client := w.UserConfig(w.Base)
	gone := w.Consumer.CreateRole("gone", awsfaketest.Trust(w.Base.ARN), awsfake.RoleOptions{})
	gone.Delete()
	for _, tt := range []struct{ principal, want string }{
		{"*", ""},
		{"111111111111", ""},
		{"arn:aws:iam::111111111111:root", ""},
		{"999999999999", "MalformedPolicy"},
		{"arn:aws:iam::999999999999:root", "MalformedPolicy"},
		{w.Role.ARN, ""},
		{w.Base.ARN, ""},
		{gone.ARN, "MalformedPolicy"},
		{"arn:aws:iam::222222222222:user/nobody", "MalformedPolicy"},
		{"arn:aws:sts::222222222222:assumed-role/syncd/test", ""},
		{"arn:aws:sts::222222222222:assumed-role/gone/test", "MalformedPolicy"},
		{"AROAAAAAAAAAAAAAAAAAA", "MalformedPolicy"},
	} {
		t.Run(tt.principal, func(t *testing.T) {
			policy := awsfaketest.BucketPolicy("open", tt.principal).String()
			_, err := awsfaketest.S3Client(client).PutBucketPolicy(t.Context(), &s3.PutBucketPolicyInput{Bucket: aws.String("open"), Policy: &policy})
			if got := awsfaketest.Code(err); got != tt.want {
				t.Errorf("bucket policy: got %q (%v), want %q", got, err, tt.want)
			}
			if tt.want != "" && awsfaketest.Message(err) != "Invalid principal in policy" {
				t.Errorf("got %q", awsfaketest.Message(err))
			}
			policy = awsfaketest.KeyPolicy("222222222222", tt.principal, "kms:Decrypt").String()
			_, err = awsfaketest.KMSClient(client).PutKeyPolicy(t.Context(), &kms.PutKeyPolicyInput{KeyId: aws.String(w.ConsumerKey.ARN()), Policy: &policy})
			if got := awsfaketest.Code(err); (got == "") != (tt.want == "") || got != "" && got != "MalformedPolicyDocumentException" {
				t.Errorf("key policy: got %q", got)
			}
		})
	}
}
