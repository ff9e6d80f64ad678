package awsfake_test

import (
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
	"github.com/aws/aws-sdk-go-v2/service/sts"

	"syncd/internal/awsfake"
	"syncd/internal/iam"
)

func denying(action string) *iam.Document {
	return iam.MustParse(`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"*","Resource":"*"},{"Effect":"Deny","Action":"` + action + `","Resource":"*"}]}`)
}

func denyingAnybody(action string) *iam.Document {
	return iam.MustParse(`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":"*","Action":"*","Resource":"*"},
		{"Effect":"Deny","Principal":"*","Action":"` + action + `","Resource":"*"}]}`)
}

// TestGuardrails hangs the policies of an organization, and boundaries, over a copy that works.
func TestGuardrails(t *testing.T) {
	const get, put = `s3:GetObject on resource: "arn:aws:s3:::owner-data/key" `, `s3:PutObject on resource: "arn:aws:s3:::consumer-copy/key" `
	for _, tt := range []struct {
		name string
		hang func(*world)
		want string // what follows the caller in the message; "" for success
	}{
		{"service control policy that allows everything", func(w *world) { w.consumer.SetServiceControl(allowAll()) }, ""},
		{"service control policy that allows less", func(w *world) { w.consumer.SetServiceControl(allowBut("s3:PutObject")) }, put + "because no service control policy allows the s3:PutObject action"},
		{"service control policy that denies", func(w *world) { w.consumer.SetServiceControl(denying("s3:GetObject")) }, get + "with an explicit deny in a service control policy"},
		{
			"service control policy against KMS", func(w *world) { w.consumer.SetServiceControl(denying("kms:Decrypt")) },
			"kms:Decrypt on the resource associated with this ciphertext with an explicit deny in a service control policy",
		},
		{"service control policy of the bucket's account binds only its own", func(w *world) { w.owner.SetServiceControl(denying("*")) }, ""},
		{"resource control policy of the bucket's account binds everybody", func(w *world) { w.owner.SetResourceControl(denyingAnybody("s3:GetObject")) }, get + "with an explicit deny in a resource control policy"},
		{"resource control policy of another account", func(w *world) { w.consumer.SetResourceControl(denyingAnybody("s3:GetObject")) }, ""},
		{"taken away", func(w *world) { w.owner.SetResourceControl(denyingAnybody("*")); w.owner.SetResourceControl() }, ""},
		{"boundary of the role", func(w *world) { w.role.SetBoundary(allowBut("s3:PutObject")) }, put + "because no permissions boundary allows the s3:PutObject action"},
		{"boundary that denies", func(w *world) { w.role.SetBoundary(denying("s3:GetObject")) }, get + "with an explicit deny in a permissions boundary"},
		{"boundary taken away", func(w *world) { w.role.SetBoundary(allowBut("s3:PutObject")); w.role.SetBoundary(nil) }, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			w := newWorld(t, awsfake.Options{})
			w.owner.SetOrg("o-1")
			w.consumer.SetOrg("o-1")
			w.source.Put("key", awsfake.BytesBody(nil), awsfake.PutOptions{})
			c := w.assume(t, nil)
			tt.hang(w)
			_, err := s3Client(c).CopyObject(t.Context(), copyKey("key"))
			want := ""
			if tt.want != "" {
				want = session + tt.want
			}
			if got := message(err); got != want {
				t.Errorf("got  %q\nwant %q", got, want)
			}
		})
	}
}

// TestGuardrailsOfSTS: who may be assumed is ruled over as well.
func TestGuardrailsOfSTS(t *testing.T) {
	for name, hang := range map[string]func(*world){
		"service control policy":  func(w *world) { w.consumer.SetServiceControl(denying("sts:AssumeRole")) },
		"resource control policy": func(w *world) { w.consumer.SetResourceControl(denyingAnybody("sts:AssumeRole")) },
		"boundary of the user":    func(w *world) { w.base.SetBoundary(denying("sts:*")) },
	} {
		w := newWorld(t, awsfake.Options{})
		hang(w)
		_, err := sts.NewFromConfig(w.userConfig(w.base)).AssumeRole(t.Context(), &sts.AssumeRoleInput{RoleArn: &w.role.ARN, RoleSessionName: aws.String("test")})
		if got := code(err); got != "AccessDenied" {
			t.Errorf("%s: got %q", name, got)
		}
	}
}

// TestManagedKeysAreExempt from resource control policies.
func TestManagedKeysAreExempt(t *testing.T) {
	w := newWorld(t, awsfake.Options{})
	w.consumer.SetResourceControl(denyingAnybody("kms:*"))
	client := s3Client(w.userConfig(w.base))
	put := &s3.PutObjectInput{Bucket: aws.String("consumer-copy"), Key: aws.String("k"), Body: strings.NewReader("x"), ServerSideEncryption: types.ServerSideEncryptionAwsKms}
	if _, err := client.PutObject(t.Context(), put); err != nil {
		t.Errorf("aws/s3: %v", err)
	}
	put.SSEKMSKeyId, put.Body = aws.String(w.consumerKey.ARN()), strings.NewReader("x")
	if _, err := client.PutObject(t.Context(), put); code(err) != "AccessDenied" {
		t.Errorf("the account's own key: got %v", err)
	}
}
