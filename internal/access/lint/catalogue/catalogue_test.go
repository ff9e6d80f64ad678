package catalogue_test

import (
	"testing"

	"syncd/internal/access/lint/catalogue"
)

// TestMeantAction checks the suggestions for unknown actions, and that every suggested action
// exists.
func TestMeantAction(t *testing.T) {
	c := catalogue.Read()
	tests := map[string]string{
		"s3:HeadObject": "s3:GetObject", "s3:ListObjectsV2": "s3:ListBucket", "s3:ListObjects": "s3:ListBucket", "s3:CopyObject": "s3:PutObject",
		"s3:UploadPartCopy": "s3:PutObject", "s3:ListParts": "s3:ListMultipartUploadParts", "s3:DeleteObjects": "s3:DeleteObject",
		"s3:GetBucketEncryption": "s3:GetEncryptionConfiguration", "kms:ReEncrypt": "kms:ReEncrypt*", "s3:GetObjects": "s3:GetObject",
		"sts:AsumeRole": "sts:AssumeRole", "sqs:RecieveMessage": "sqs:ReceiveMessage", "s3:Frobnicate": "",
	}
	for name, want := range tests {
		got := c.MeantAction(name)
		if got != want {
			t.Errorf("%s: got %q, want %q", name, got, want)
		}
		if len(c.Matching(name)) > 0 {
			t.Errorf("%s: got an action, want none of that name", name)
		}
		if got != "" && len(c.Matching(got)) == 0 {
			t.Errorf("%s: got the suggestion %s, want one that exists", name, got)
		}
	}
}
