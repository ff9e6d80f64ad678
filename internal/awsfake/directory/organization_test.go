package directory_test

import (
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
	"github.com/aws/aws-sdk-go-v2/service/sts"

	"syncd/internal/awsfake"
	"syncd/internal/awsfake/awsfaketest"
	"syncd/internal/iam"
)

func denying(action string) *iam.Document {
	return iam.MustParse(`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"*","Resource":"*"},{"Effect":"Deny","Action":"` + action + `","Resource":"*"}]}`)
}

func denyingAnybody(action string) *iam.Document {
	return iam.MustParse(`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":"*","Action":"*","Resource":"*"},
		{"Effect":"Deny","Principal":"*","Action":"` + action + `","Resource":"*"}]}`)
}

// TestGuardrails checks how organization policies and boundaries restrict a copy that works without
// them.
func TestGuardrails(t *testing.T) {
	const get, put = `s3:GetObject on resource: "arn:aws:s3:::owner-data/key" `, `s3:PutObject on resource: "arn:aws:s3:::consumer-copy/key" `
	for _, tt := range []struct {
		name string
		hang func(*awsfaketest.World)
		want string // the message after SessionRefused; "" for success
	}{
		{"service control policy that allows everything", func(w *awsfaketest.World) { w.Consumer.SetServiceControl(awsfaketest.AllowAll()) }, ""},
		{"service control policy that allows less", func(w *awsfaketest.World) { w.Consumer.SetServiceControl(awsfaketest.AllowBut("s3:PutObject")) }, put + "because no service control policy allows the s3:PutObject action"},
		{"service control policy that denies", func(w *awsfaketest.World) { w.Consumer.SetServiceControl(denying("s3:GetObject")) }, get + "with an explicit deny in a service control policy"},
		{
			"service control policy against KMS", func(w *awsfaketest.World) { w.Consumer.SetServiceControl(denying("kms:Decrypt")) },
			"kms:Decrypt on the resource associated with this ciphertext with an explicit deny in a service control policy",
		},
		{"service control policy of the bucket's account binds only its own", func(w *awsfaketest.World) { w.Owner.SetServiceControl(denying("*")) }, ""},
		{"resource control policy of the bucket's account binds everybody", func(w *awsfaketest.World) { w.Owner.SetResourceControl(denyingAnybody("s3:GetObject")) }, get + "with an explicit deny in a resource control policy"},
		{"resource control policy of another account", func(w *awsfaketest.World) { w.Consumer.SetResourceControl(denyingAnybody("s3:GetObject")) }, ""},
		{"policy removed", func(w *awsfaketest.World) {
			w.Owner.SetResourceControl(denyingAnybody("*"))
			w.Owner.SetResourceControl()
		}, ""},
		{"boundary of the role", func(w *awsfaketest.World) { w.Role.SetBoundary(awsfaketest.AllowBut("s3:PutObject")) }, put + "because no permissions boundary allows the s3:PutObject action"},
		{"boundary that denies", func(w *awsfaketest.World) { w.Role.SetBoundary(denying("s3:GetObject")) }, get + "with an explicit deny in a permissions boundary"},
		{"boundary removed", func(w *awsfaketest.World) {
			w.Role.SetBoundary(awsfaketest.AllowBut("s3:PutObject"))
			w.Role.SetBoundary(nil)
		}, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			w := awsfaketest.New(t, awsfake.Options{})
			w.Owner.SetOrg("o-1")
			w.Consumer.SetOrg("o-1")
			w.Source.Put("key", awsfake.BytesBody(nil), awsfake.PutOptions{})
			c := w.Assume(t, nil)
			tt.hang(w)
			_, err := awsfaketest.S3Client(c).CopyObject(t.Context(), awsfaketest.CopyKey("key"))
			want := ""
			if tt.want != "" {
				want = awsfaketest.SessionRefused + tt.want
			}
			if got := awsfaketest.Message(err); got != want {
				t.Errorf("got  %q\nwant %q", got, want)
			}
		})
	}
}

// TestGuardrailsOfSTS checks that organization policies and boundaries also restrict which roles
// can be assumed.
func TestGuardrailsOfSTS(t *testing.T) {
	for name, hang := range map[string]func(*awsfaketest.World){
		"service control policy":  func(w *awsfaketest.World) { w.Consumer.SetServiceControl(denying("sts:AssumeRole")) },
		"resource control policy": func(w *awsfaketest.World) { w.Consumer.SetResourceControl(denyingAnybody("sts:AssumeRole")) },
		"boundary of the user":    func(w *awsfaketest.World) { w.Base.SetBoundary(denying("sts:*")) },
	} {
		w := awsfaketest.New(t, awsfake.Options{})
		hang(w)
		_, err := sts.NewFromConfig(w.UserConfig(w.Base)).AssumeRole(t.Context(), &sts.AssumeRoleInput{RoleArn: &w.Role.ARN, RoleSessionName: aws.String("test")})
		if got := awsfaketest.Code(err); got != "AccessDenied" {
			t.Errorf("%s: got %q", name, got)
		}
	}
}

// TestManagedKeysAreExempt checks that resource control policies do not apply to AWS managed keys.
func TestManagedKeysAreExempt(t *testing.T) {
	w := awsfaketest.New(t, awsfake.Options{})
	w.Consumer.SetResourceControl(denyingAnybody("kms:*"))
	client := awsfaketest.S3Client(w.UserConfig(w.Base))
	put := &s3.PutObjectInput{Bucket: aws.String("consumer-copy"), Key: aws.String("k"), Body: strings.NewReader("x"), ServerSideEncryption: types.ServerSideEncryptionAwsKms}
	if _, err := client.PutObject(t.Context(), put); err != nil {
		t.Errorf("aws/s3: %v", err)
	}
	put.SSEKMSKeyId, put.Body = aws.String(w.ConsumerKey.ARN()), strings.NewReader("x")
	if _, err := client.PutObject(t.Context(), put); awsfaketest.Code(err) != "AccessDenied" {
		t.Errorf("the account's own key: got %v", err)
	}
}
