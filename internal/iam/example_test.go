package iam_test

import (
	"fmt"

	"syncd/internal/iam"
)

func ExampleEvaluate() {
	bucketPolicy := iam.MustParse(`{
		"Version": "2012-10-17",
		"Statement": {
			"Effect": "Allow",
			"Principal": {"AWS": "arn:aws:iam::222222222222:role/consumer"},
			"Action": "s3:GetObject",
			"Resource": "arn:aws:s3:::owner-data/exports/*"
		}
	}`)
	req := iam.Request{
		Caller: iam.Caller{
			ARN:     "arn:aws:sts::222222222222:assumed-role/consumer/nightly",
			RoleARN: "arn:aws:iam::222222222222:role/consumer",
			Account: "222222222222",
		},
		Action:   "s3:GetObject",
		Resource: "arn:aws:s3:::owner-data/exports/a",
		Account:  "111111111111",
	}
	d := iam.Evaluate(req, iam.Policies{Resource: bucketPolicy, Kind: iam.Bucket})
	fmt.Println(d.Allowed, d.Reason())
	// Output: false because no identity-based policy allows the s3:GetObject action
}
