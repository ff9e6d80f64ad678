package main

import (
	"context"
	"net/http"

	"github.com/aws/aws-sdk-go-v2/aws"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
	"golang.org/x/sync/errgroup"
)

// sdk lists the source and copies each object with the AWS SDK as it comes, a goroutine for each object.
func sdk(args []string) error {
	w, err := parseWork("sdk", args)
	if err != nil {
		return err
	}
	client := s3.New(s3.Options{
		Region: region, BaseEndpoint: &w.endpoint, UsePathStyle: true, Credentials: credentials.NewStaticCredentialsProvider(accessKey, secretKey, ""),
		HTTPClient: awshttp.NewBuildableClient().WithTransportOptions(func(t *http.Transport) { t.MaxIdleConnsPerHost = w.inFlight }),
	})
	copies, ctx := errgroup.WithContext(context.Background())
	copies.SetLimit(w.inFlight)
	pages := s3.NewListObjectsV2Paginator(client, &s3.ListObjectsV2Input{Bucket: aws.String(from)})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return err
		}
		for _, o := range page.Contents {
			if w.isList {
				continue
			}
			copies.Go(func() error {
				_, err := client.CopyObject(ctx, &s3.CopyObjectInput{
					Bucket: aws.String(to), Key: o.Key, CopySource: aws.String(from + "/" + *o.Key), CopySourceIfMatch: o.ETag,
					ServerSideEncryption: types.ServerSideEncryptionAwsKms, SSEKMSKeyId: aws.String(keyARN),
				})
				return err
			})
		}
	}
	return copies.Wait()
}
