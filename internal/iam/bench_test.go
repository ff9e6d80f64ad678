package iam_test

import (
	"testing"

	"syncd/internal/iam"
)

// BenchmarkEvaluate evaluates one GET by a session of another account, with a session policy and a
// typical bucket policy.
func BenchmarkEvaluate(b *testing.B) {
	bucket := iam.MustParse(`{"Version": "2012-10-17", "Statement": [
		{"Sid": "TLS", "Effect": "Deny", "Principal": "*", "Action": "s3:*", "Resource": ["arn:aws:s3:::owner-data", "arn:aws:s3:::owner-data/*"],
		 "Condition": {"Bool": {"aws:SecureTransport": "false"}}},
		{"Sid": "List", "Effect": "Allow", "Principal": {"AWS": "arn:aws:iam::222222222222:role/sync/reader"}, "Action": "s3:ListBucket",
		 "Resource": "arn:aws:s3:::owner-data", "Condition": {"StringLike": {"s3:prefix": "exports/*"}}},
		{"Sid": "Read", "Effect": "Allow", "Principal": {"AWS": "arn:aws:iam::222222222222:role/sync/reader"},
		 "Action": ["s3:GetObject", "s3:GetObjectTagging"], "Resource": "arn:aws:s3:::owner-data/exports/*",
		 "Condition": {"StringEquals": {"aws:PrincipalTag/access-project": "P1"}}}]}`)
	variable := iam.MustParse(`{"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Principal": {"AWS": "222222222222"},
		"Action": "s3:GetObject", "Resource": "arn:aws:s3:::owner-data/${aws:PrincipalTag/area, 'none'}/*"}}`)
	req := get(session(consumer))
	req.Context = values{
		"aws:SecureTransport": {"true"}, "aws:PrincipalTag/access-project": {"P1"}, "aws:PrincipalTag/area": {"exports"},
		"aws:SourceIp": {"203.0.113.9"}, "aws:RequestedRegion": {"us-west-2"}, "s3:authType": {"REST-HEADER"},
	}
	for name, policy := range map[string]*iam.Document{"plain": bucket, "variable": variable} {
		b.Run(name, func(b *testing.B) {
			p := iam.Policies{Identity: docs(allowAll()), Session: docs(allowAll()), Resource: policy}
			if d := iam.Evaluate(req, p); !d.Allowed {
				b.Fatalf("got %q, want allowed", d.Reason())
			}
			b.ReportAllocs()
			for b.Loop() {
				iam.Evaluate(req, p)
			}
		})
	}
}

func BenchmarkParse(b *testing.B) {
	data := []byte(full)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := iam.Parse(data); err != nil {
			b.Fatal(err)
		}
	}
}
