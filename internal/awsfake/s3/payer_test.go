package s3_test

import (
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"

	"syncd/internal/awsfake"
	"syncd/internal/awsfake/awsfaketest"
)

// TestRequesterPays checks that requests from other accounts must have x-amz-request-payer,
// including copies from a requester-pays bucket.
func TestRequesterPays(t *testing.T) {
	w := awsfaketest.New(t, awsfake.Options{})
	bucket := w.Owner.CreateBucket("paid", awsfaketest.Region, awsfake.BucketOptions{RequesterPays: true, Policy: awsfaketest.BucketPolicy("paid", w.Role.ARN)})
	bucket.Put("k", awsfake.BytesBody([]byte("x")), awsfake.PutOptions{})
	consumer, owner := awsfaketest.S3Client(w.Assume(t, nil)), awsfaketest.S3Client(w.UserConfig(w.Owner.AdminUser()))
	for _, tt := range []struct {
		name   string
		client *s3.Client
		payer  types.RequestPayer
		want   string // the error code, a space, and the value of x-amz-request-charged
	}{
		{"silent", consumer, "", "Forbidden "},
		{"paying", consumer, types.RequestPayerRequester, " requester"},
		{"the owner", owner, "", " "},
		{"the owner, offering to pay", owner, types.RequestPayerRequester, " "},
	} {
		t.Run(tt.name, func(t *testing.T) {
			out, err := tt.client.HeadObject(t.Context(), &s3.HeadObjectInput{Bucket: aws.String("paid"), Key: aws.String("k"), RequestPayer: tt.payer})
			got := awsfaketest.Code(err) + " "
			if err == nil {
				got += string(out.RequestCharged)
			}
			if got != tt.want {
				t.Errorf("got %q (%v), want %q", got, err, tt.want)
			}
		})
	}
	in := awsfaketest.CopyKey("k")
	in.CopySource = aws.String("paid/k")
	if _, err := consumer.CopyObject(t.Context(), in); awsfaketest.Code(err) != "AccessDenied" || awsfaketest.Message(err) != "Access Denied" {
		t.Errorf("copy without request payer: got %v", err)
	}
	in.RequestPayer = types.RequestPayerRequester
	if _, err := consumer.CopyObject(t.Context(), in); err != nil {
		t.Errorf("copy, paying: %v", err)
	}
	payment, err := owner.GetBucketRequestPayment(t.Context(), &s3.GetBucketRequestPaymentInput{Bucket: aws.String("paid")})
	if err != nil || payment.Payer != types.PayerRequester {
		t.Errorf("payment: %v, %+v", err, payment)
	}
	bucket.SetRequesterPays(false)
	in.RequestPayer = ""
	if _, err := consumer.CopyObject(t.Context(), in); err != nil {
		t.Errorf("after the owner pays again: %v", err)
	}
}
