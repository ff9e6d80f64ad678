package awsfake_test

import (
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/kms"
	"github.com/aws/aws-sdk-go-v2/service/s3"

	"syncd/internal/awsfake"
	"syncd/internal/iam"
)

// TestDeletedRole: a grant to a role dies with it, though a role of the same name comes after it.
func TestDeletedRole(t *testing.T) {
	w := newWorld(t, awsfake.Options{})
	w.source.Put("key", awsfake.BytesBody(nil), awsfake.PutOptions{})
	shared := bucketPolicy("owner-data", w.role.ARN)
	w.source.SetPolicy(shared)
	before := s3Client(w.assume(t, nil))
	w.role.Delete()
	w.role = w.consumer.CreateRole("syncd", trust(w.base.ARN), awsfake.RoleOptions{Policies: []*iam.Document{allowAll()}})
	after := s3Client(w.assume(t, nil))
	for name, client := range map[string]*s3.Client{"old session": before, "new role": after} {
		if _, err := client.CopyObject(t.Context(), copyKey("key")); code(err) != "AccessDenied" {
			t.Errorf("%s: got %v", name, err)
		}
	}
	owner := w.userConfig(w.owner.AdminUser())
	bucket, err := s3Client(owner).GetBucketPolicy(t.Context(), &s3.GetBucketPolicyInput{Bucket: aws.String("owner-data")})
	if err != nil || !strings.Contains(*bucket.Policy, `"AROA`) || strings.Contains(*bucket.Policy, w.role.ARN) {
		t.Errorf("the bucket policy does not show the id: %v %s", err, *bucket.Policy)
	}
	key, err := kmsClient(owner).GetKeyPolicy(t.Context(), &kms.GetKeyPolicyInput{KeyId: aws.String(w.ownerKey.ARN())})
	if err != nil || !strings.Contains(*key.Policy, `"AROA`) {
		t.Errorf("the key policy does not show the id: %v", err)
	}
	if strings.Contains(shared.String(), "AROA") {
		t.Error("the caller's document was changed")
	}
	w.source.SetPolicy(shared)
	w.ownerKey.SetPolicy(keyPolicy("111111111111", w.role.ARN, "kms:Decrypt"))
	if _, err := after.CopyObject(t.Context(), copyKey("key")); err != nil {
		t.Errorf("granted anew: %v", err)
	}
	if _, err := before.CopyObject(t.Context(), copyKey("key")); code(err) != "AccessDenied" {
		t.Errorf("granted anew, old session: got %v", err)
	}
}

// TestSessionOfADeletedRole has no part in what the next role of that name is granted, in its own account either.
func TestSessionOfADeletedRole(t *testing.T) {
	w := newWorld(t, awsfake.Options{})
	w.destination.Put("k", awsfake.BytesBody(nil), awsfake.PutOptions{})
	read := func(c aws.Config) string {
		_, err := s3Client(c).HeadObject(t.Context(), &s3.HeadObjectInput{Bucket: aws.String("consumer-copy"), Key: aws.String("k")})
		return code(err)
	}
	before := w.assume(t, nil)
	w.role.Delete()
	w.role = w.consumer.CreateRole("syncd", trust(w.base.ARN), awsfake.RoleOptions{})
	w.destination.SetPolicy(bucketPolicy("consumer-copy", w.role.ARN)) // sufficient within one account
	if got := read(w.assume(t, nil)); got != "" {
		t.Errorf("the new role: got %q", got)
	}
	if got := read(before); got != "Forbidden" {
		t.Errorf("the old session: got %q", got)
	}
}

// TestDeletedRoleInATrustPolicy: the hop that was trusted is gone, another of its name is not trusted.
func TestDeletedRoleInATrustPolicy(t *testing.T) {
	w := newWorld(t, awsfake.Options{})
	target := w.owner.CreateRole("reader", trust(w.role.ARN), awsfake.RoleOptions{})
	if got := code(assumeAs(t, w.assume(t, nil), target)); got != "" {
		t.Fatalf("before: got %q", got)
	}
	w.role.Delete()
	if got := code(assumeAs(t, w.userConfig(w.base), w.role)); got != "AccessDenied" {
		t.Errorf("the deleted role: got %q", got)
	}
	w.role = w.consumer.CreateRole("syncd", trust(w.base.ARN), awsfake.RoleOptions{Policies: []*iam.Document{allowAll()}})
	if got := code(assumeAs(t, w.assume(t, nil), target)); got != "AccessDenied" {
		t.Errorf("after: got %q", got)
	}
}

func TestStrangersInPolicies(t *testing.T) {
	w := newWorld(t, awsfake.Options{})
	w.consumer.CreateBucket("open", region, awsfake.BucketOptions{PublicAccess: true})
	client := w.userConfig(w.base)
	gone := w.consumer.CreateRole("gone", trust(w.base.ARN), awsfake.RoleOptions{})
	gone.Delete()
	for _, tt := range []struct{ principal, want string }{
		{"*", ""},
		{"111111111111", ""},
		{"arn:aws:iam::111111111111:root", ""},
		{"999999999999", "MalformedPolicy"},
		{"arn:aws:iam::999999999999:root", "MalformedPolicy"},
		{w.role.ARN, ""},
		{w.base.ARN, ""},
		{gone.ARN, "MalformedPolicy"},
		{"arn:aws:iam::222222222222:user/nobody", "MalformedPolicy"},
		{"arn:aws:sts::222222222222:assumed-role/syncd/test", ""},
		{"arn:aws:sts::222222222222:assumed-role/gone/test", "MalformedPolicy"},
		{"AROAAAAAAAAAAAAAAAAAA", "MalformedPolicy"},
	} {
		t.Run(tt.principal, func(t *testing.T) {
			policy := bucketPolicy("open", tt.principal).String()
			_, err := s3Client(client).PutBucketPolicy(t.Context(), &s3.PutBucketPolicyInput{Bucket: aws.String("open"), Policy: &policy})
			if got := code(err); got != tt.want {
				t.Errorf("bucket policy: got %q (%v), want %q", got, err, tt.want)
			}
			if tt.want != "" && message(err) != "Invalid principal in policy" {
				t.Errorf("got %q", message(err))
			}
			policy = keyPolicy("222222222222", tt.principal, "kms:Decrypt").String()
			_, err = kmsClient(client).PutKeyPolicy(t.Context(), &kms.PutKeyPolicyInput{KeyId: aws.String(w.consumerKey.ARN()), Policy: &policy})
			if got := code(err); (got == "") != (tt.want == "") || got != "" && got != "MalformedPolicyDocumentException" {
				t.Errorf("key policy: got %q", got)
			}
		})
	}
}
