package setting_test

import (
	"errors"
	"fmt"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/smithy-go"

	"syncd/internal/awsfake"
	"syncd/internal/awsfake/awsfaketest"
)

// TestInvalidBucketPolicies checks that S3 rejects policies that name another bucket, an action or
// condition key that does not exist, or an action that applies to none of the resources.
func TestInvalidBucketPolicies(t *testing.T) {
	w := awsfaketest.New(t, awsfake.Options{})
	client := awsfaketest.S3Client(w.UserConfig(w.Base))
	name := "consumer-copy"
	for _, tt := range []struct{ actions, resources, conditions, want string }{
		{`"s3:GetObject"`, `"arn:aws:s3:::consumer-copy/*"`, `{}`, ""},
		{`["s3:GetObject", "s3:ListBucket"]`, `["arn:aws:s3:::consumer-copy", "arn:aws:s3:::consumer-copy/*"]`, `{}`, ""},
		{`"s3:*"`, `"arn:aws:s3:::consumer-copy*"`, `{}`, ""},
		{`"s3:Get*"`, `"arn:aws:s3:::consumer-copy/a/*"`, `{"StringEquals": {"s3:ExistingObjectTag/class": "x", "aws:PrincipalTag/a": "b"}}`, ""},
		{`"s3:ListBucket"`, `"arn:aws:s3:::consumer-copy"`, `{"StringLike": {"s3:prefix": "a/*"}}`, ""},
		{`"*"`, `"arn:aws:s3:::consumer-copy"`, `{}`, ""},

		{`"s3:GetObject"`, `"arn:aws:s3:::owner-data/*"`, `{}`, "Policy has invalid resource"},
		{`"s3:GetObject"`, `["arn:aws:s3:::consumer-copy/*", "arn:aws:s3:::consumer-copy-2/*"]`, `{}`, "Policy has invalid resource"},
		{`"s3:GetObject"`, `"*"`, `{}`, "Policy has invalid resource"},
		{`"s3:GetObject"`, `"arn:aws:s3:us-west-2:222222222222:consumer-copy/*"`, `{}`, "Policy has invalid resource"},
		{`"s3:HeadObject"`, `"arn:aws:s3:::consumer-copy/*"`, `{}`, "Policy has invalid action"},
		{`["s3:GetObject", "s3:Read*"]`, `"arn:aws:s3:::consumer-copy/*"`, `{}`, "Policy has invalid action"},
		{`"kms:Decrypt"`, `"arn:aws:s3:::consumer-copy/*"`, `{}`, "Policy has invalid action"},
		{`"s3:ListBucket"`, `"arn:aws:s3:::consumer-copy/*"`, `{}`, "Action does not apply to any resource(s) in statement"},
		{`["s3:ListBucket", "s3:GetObject"]`, `"arn:aws:s3:::consumer-copy"`, `{}`, "Action does not apply to any resource(s) in statement"},
		{`"s3:ListAllMyBuckets"`, `"arn:aws:s3:::consumer-copy"`, `{}`, "Action does not apply to any resource(s) in statement"},
		{`"s3:GetObject"`, `"arn:aws:s3:::consumer-copy/*"`, `{"StringEquals": {"s3:x-acl": "private"}}`, "Policy has an invalid condition key"},
		{`"s3:GetObject"`, `"arn:aws:s3:::consumer-copy/*"`, `{"StringEquals": {"kms:ViaService": "s3.us-west-2.amazonaws.com"}}`, "Policy has an invalid condition key"},
		{
			`["s3:ListBucket", "s3:GetBucketLocation"]`, `"arn:aws:s3:::consumer-copy"`, `{"StringLike": {"s3:prefix": "a/*"}}`,
			"Conditions do not apply to combination of actions and resources in statement",
		},
	} {
		text := fmt.Sprintf(`{"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Principal": {"AWS": "222222222222"},
		  "Action": %s, "Resource": %s, "Condition": %s}}`, tt.actions, tt.resources, tt.conditions)
		_, err := client.PutBucketPolicy(t.Context(), &s3.PutBucketPolicyInput{Bucket: &name, Policy: &text})
		got := ""
		if refused, ok := errors.AsType[smithy.APIError](err); ok {
			got = refused.ErrorMessage()
			if refused.ErrorCode() != "MalformedPolicy" {
				t.Errorf("%s on %s: got code %s, want MalformedPolicy", tt.actions, tt.resources, refused.ErrorCode())
			}
		}
		if got != tt.want {
			t.Errorf("%s on %s if %s: got %q (%v), want %q", tt.actions, tt.resources, tt.conditions, got, err, tt.want)
		}
	}
}
