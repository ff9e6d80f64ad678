package iam_test

import (
	"testing"

	"syncd/internal/iam"
)

// TestShortARN checks that an incomplete ARN is completed in an identity policy: "When you specify
// an incomplete ARN (one with fewer than the standard six fields) in an identity-based policy, AWS
// automatically completes the ARN by adding wildcard characters (*) to all missing fields" (IAM
// identifiers, IAM ARNs). This also applies to a permissions boundary. STS and Organizations reject
// an incomplete ARN, and it is not completed in a resource policy.
func TestShortARN(t *testing.T) {
	tests := []struct {
		pattern string
		want    bool
	}{
		{"arn:aws:s3", true},
		{"arn:aws:s3:", true},
		{"arn:aws:s3::", true},
		{"arn:aws:s3:::", false}, // six fields, the last empty
		{"arn:aws:s3:us-west-2", false},
		{"arn:aws:s3::" + owner, false},
		{"arn:aws:s", false},
		{"arn:aws:sqs", false},
		{"arn:aws-cn:s3", false},
	}
	for _, tt := range tests {
		t.Run(tt.pattern, func(t *testing.T) {
			short := allowAll()
			short.Statements[0].Resources = []string{tt.pattern}
			but := allowAll()
			but.Statements[0].Resources, but.Statements[0].NotResources = nil, []string{tt.pattern}
			deny := denyAll()
			deny.Statements[0].Resources = []string{tt.pattern}
			allowed := func(p iam.Policies) bool { return iam.Evaluate(get(session(owner)), p).Allowed }
			check := func(where string, got, want bool) {
				t.Helper()
				if got != want {
					t.Errorf("%s: got allowed %t, want %t", where, got, want)
				}
			}
			check("identity policy", allowed(iam.Policies{Identity: docs(short)}), tt.want)
			check("boundary", allowed(iam.Policies{Identity: docs(allowAll()), Boundary: short}), tt.want)
			check("NotResource", allowed(iam.Policies{Identity: docs(but)}), !tt.want)
			check("deny", allowed(iam.Policies{Identity: docs(allowAll(), deny)}), !tt.want)
			check("service control policy", allowed(iam.Policies{Identity: docs(allowAll()), ServiceControl: docs(short)}), false)
			short.Statements[0].Principals = awsPrincipals([]string{session(owner).ARN})
			check("bucket policy", allowed(iam.Policies{Resource: short}), false)
		})
	}
}

// TestServiceWildcardLetsNothingThrough checks statements with a resource whose service contains a
// wildcard. Such an Allow statement allows nothing, and such a Deny statement denies everything:
// "You can't use a wildcard in the service segment". Parse rejects such a resource, so only a
// document built in code can contain one.
func TestServiceWildcardLetsNothingThrough(t *testing.T) {
	for _, pattern := range []string{"arn:aws:*", "arn:aws:*:::owner-data/*", "arn:aws:s?:::owner-data/*", "arn:*"} {
		for _, effect := range []iam.Effect{iam.Allow, iam.Deny} {
			for _, s := range []iam.Statement{{Resources: []string{object, pattern}}, {NotResources: []string{pattern}}} {
				s.Effect, s.Actions = effect, []string{"*"}
				d := &iam.Document{Version: iam.Version2012, Statements: []iam.Statement{s}}
				if iam.Evaluate(get(user(owner)), iam.Policies{Identity: docs(d)}).Allowed {
					t.Errorf("%s %s: got allowed, want not", effect, pattern)
				}
				if got, want := iam.Evaluate(get(user(owner)), iam.Policies{Identity: docs(allowAll(), d)}).Allowed, effect == iam.Allow; got != want {
					t.Errorf("%s %s next to an allow: got allowed %t, want %t", effect, pattern, got, want)
				}
			}
		}
	}
}
