package awserr_test

import (
	"errors"
	"testing"

	"syncd/internal/awserr"
)

func TestRefused(t *testing.T) {
	for _, tc := range []struct {
		err              error
		action, resource string
	}{
		{nil, "", ""},
		{errors.New("AccessDenied: Access Denied"), "", ""},
		{
			errors.New(`AccessDenied: User: arn:aws:sts::222222222222:assumed-role/syncd/test is not authorized to perform: s3:GetObject ` +
				`on resource: "arn:aws:s3:::consumer-copy/key" because no identity-based policy allows the s3:GetObject action`),
			"s3:GetObject", "arn:aws:s3:::consumer-copy/key",
		},
		{
			errors.New(`User: arn:aws:iam::222222222222:root is not authorized to perform: sts:AssumeRole on resource: arn:aws:iam::111111111111:role/r`),
			"sts:AssumeRole", "arn:aws:iam::111111111111:role/r",
		},
		{
			errors.New(`not authorized to perform: kms:Decrypt on this resource because the resource does not exist in this Region`),
			"kms:Decrypt", "",
		},
	} {
		if action, resource := awserr.Refused(tc.err); action != tc.action || resource != tc.resource {
			t.Errorf("%v: got %q on %q, want %q on %q", tc.err, action, resource, tc.action, tc.resource)
		}
	}
}
