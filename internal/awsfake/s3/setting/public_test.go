package setting_test

import (
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"

	"syncd/internal/awsfake"
	"syncd/internal/awsfake/awsfaketest"
	"syncd/internal/iam"
)

func TestPublicAccessIsBlocked(t *testing.T) {
	for _, tt := range []struct {
		name, principal, condition string
		public                     bool
	}{
		{"everyone", `"*"`, `{}`, true},
		{"everyone, in the AWS form", `{"AWS":"*"}`, `{}`, true},
		{"an account", `{"AWS":"222222222222"}`, `{}`, false},
		{"of an organization", `"*"`, `{"StringEquals":{"aws:PrincipalOrgID":"o-1"}}`, false},
		{"of any organization", `"*"`, `{"StringLike":{"aws:PrincipalOrgID":"o-*"}}`, true},
		{"not of another organization", `"*"`, `{"StringNotEquals":{"aws:PrincipalOrgID":"o-2"}}`, true},
		{"without a tag", `"*"`, `{"StringNotEquals":{"aws:PrincipalTag/team":"t"}}`, true},
		{"from an address", `"*"`, `{"IpAddress":{"aws:SourceIp":"127.0.0.0/8"}}`, false},
		{"from half the internet", `"*"`, `{"IpAddress":{"aws:SourceIp":"0.0.0.0/1"}}`, true},
		{"a policy variable", `"*"`, `{"StringEquals":{"aws:PrincipalAccount":"${aws:PrincipalAccount}"}}`, true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			text := `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":` + tt.principal +
				`,"Action":"s3:ListBucket","Resource":"arn:aws:s3:::owner-data","Condition":` + tt.condition + `}]}`
			if tt.condition == "{}" {
				text = strings.Replace(text, `,"Condition":{}`, "", 1)
			}
			w := awsfaketest.New(t, awsfake.Options{})
			w.Owner.SetOrg("o-1")
			w.Consumer.SetOrg("o-1")
			owner, consumer := awsfaketest.S3Client(w.UserConfig(w.Owner.AdminUser())), awsfaketest.S3Client(w.UserConfig(w.Base))
			_, err := owner.PutBucketPolicy(t.Context(), &s3.PutBucketPolicyInput{Bucket: aws.String("owner-data"), Policy: &text})
			if blocked := strings.Contains(awsfaketest.Message(err), "BlockPublicPolicy"); blocked != tt.public {
				t.Errorf("put: blocked %v (%v), want %v", blocked, err, tt.public)
			}
			w.Source.SetPolicy(iam.MustParse(text))
			status, err := owner.GetBucketPolicyStatus(t.Context(), &s3.GetBucketPolicyStatusInput{Bucket: aws.String("owner-data")})
			if err != nil || *status.PolicyStatus.IsPublic != tt.public {
				t.Errorf("status: %v, %+v, want %v", err, status, tt.public)
			}
			list := &s3.ListObjectsV2Input{Bucket: aws.String("owner-data")}
			_, err = consumer.ListObjectsV2(t.Context(), list)
			if denied := strings.HasSuffix(awsfaketest.Message(err), "with an explicit deny in a resource-based policy"); tt.public && !denied {
				t.Errorf("another account: got %v", err)
			}
			if _, err := owner.ListObjectsV2(t.Context(), list); err != nil {
				t.Errorf("the owner: %v", err)
			}
		})
	}
}

// TestPublicAccessAllowed checks that a public bucket policy gives everyone access after Block
// Public Access is disabled.
func TestPublicAccessAllowed(t *testing.T) {
	w := awsfaketest.New(t, awsfake.Options{})
	w.Owner.CreateBucket("open", awsfaketest.Region, awsfake.BucketOptions{PublicAccess: true, Policy: awsfaketest.BucketPolicy("open", "*")})
	if _, err := awsfaketest.S3Client(w.UserConfig(w.Base)).ListObjectsV2(t.Context(), &s3.ListObjectsV2Input{Bucket: aws.String("open")}); err != nil {
		t.Error(err)
	}
	block, err := awsfaketest.S3Client(w.UserConfig(w.Owner.AdminUser())).GetPublicAccessBlock(t.Context(), &s3.GetPublicAccessBlockInput{Bucket: aws.String("open")})
	if err != nil || *block.PublicAccessBlockConfiguration.BlockPublicPolicy {
		t.Errorf("block: %v, %+v", err, block)
	}
}
