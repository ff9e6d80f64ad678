package object_test

import (
	"io"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"

	"syncd/internal/awsfake"
	"syncd/internal/awsfake/awsfaketest"
)

func TestAssumeListCopyRead(t *testing.T) {
	w := awsfaketest.New(t, awsfake.Options{Seed: 1})
	w.Source.Put("a/1.txt", awsfake.BytesBody([]byte("hello")), awsfake.PutOptions{
		Metadata: map[string]string{"who": "me"}, Tags: map[string]string{"k": "v"}, ContentType: "text/plain",
	})
	client := awsfaketest.S3Client(w.Assume(t, nil))
	list, err := client.ListObjectsV2(t.Context(), &s3.ListObjectsV2Input{Bucket: aws.String("owner-data"), ExpectedBucketOwner: aws.String("111111111111")})
	if err != nil {
		t.Fatal(err)
	}
	if len(list.Contents) != 1 || *list.Contents[0].Key != "a/1.txt" {
		t.Fatalf("listing: %+v", list.Contents)
	}
	out, err := client.CopyObject(t.Context(), &s3.CopyObjectInput{
		Bucket: aws.String("consumer-copy"), Key: aws.String("b/1.txt"), CopySource: aws.String("owner-data/a/1.txt"),
		CopySourceIfMatch: list.Contents[0].ETag, ServerSideEncryption: types.ServerSideEncryptionAwsKms,
		SSEKMSKeyId: aws.String(w.ConsumerKey.ARN()), BucketKeyEnabled: aws.Bool(true),
		ExpectedBucketOwner: aws.String("222222222222"), ExpectedSourceBucketOwner: aws.String("111111111111"),
	})
	if err != nil {
		t.Fatal(err)
	}
	if got := aws.ToString(out.SSEKMSKeyId); got != w.ConsumerKey.ARN() {
		t.Errorf("key of the copy: got %q", got)
	}
	get, err := client.GetObject(t.Context(), &s3.GetObjectInput{Bucket: aws.String("consumer-copy"), Key: aws.String("b/1.txt")})
	if err != nil {
		t.Fatal(err)
	}
	body, err := io.ReadAll(get.Body)
	if err != nil || string(body) != "hello" {
		t.Errorf("body of the copy: got %q, %v", body, err)
	}
	if get.Metadata["who"] != "me" || aws.ToString(get.ContentType) != "text/plain" || aws.ToInt32(get.TagCount) != 1 {
		t.Errorf("copy did not inherit: %v %v %v", get.Metadata, aws.ToString(get.ContentType), aws.ToInt32(get.TagCount))
	}
}
