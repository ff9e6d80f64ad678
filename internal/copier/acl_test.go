package copier_test

import (
	"testing"

	"syncd/internal/awsfake"
	"syncd/internal/iam"
)

// TestACLIsSent checks that every way of copying sends the ACL. A bucket policy refuses every write
// without it.
func TestACLIsSent(t *testing.T) {
	for way, w := range ways(t) {
		t.Run(way, func(t *testing.T) {
			w.destination.SetPolicy(iam.MustParse(`{"Version":"2012-10-17","Statement":[{"Effect":"Deny","Principal":"*","Action":"s3:PutObject",
				"Resource":"arn:aws:s3:::consumer-copy/*","Condition":{"StringNotEquals":{"s3:x-amz-acl":"bucket-owner-full-control"}}}]}`))
			object := w.put("k", awsfake.SyntheticBody(w.size, 1), awsfake.PutOptions{})
			if _, err := w.copy(t, object); err == nil {
				t.Error("got a copy without the ACL, want the policy to refuse it")
			}
			w.options.ACL = "bucket-owner-full-control"
			if _, err := w.copy(t, object); err != nil {
				t.Errorf("got %v with the ACL", err)
			}
		})
	}
}
