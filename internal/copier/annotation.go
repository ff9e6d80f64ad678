package copier

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"

	"syncd/internal/copier/request"
	"syncd/internal/transfer"
)

// annotationsAtOnce is the maximum number of annotations in memory at once.
const annotationsAtOnce = 8

// errAnnotationList reports a listing of annotations that is invalid and that S3 never returns.
var errAnnotationList = errors.New("the service returned an invalid list of annotations")

// annotationsOf lists the names of a source object's annotations. It returns an error after more
// names or pages than an object can have.
func (s *source) annotationsOf(ctx context.Context, key string) (names []string, err error) {
	seen := map[string]bool{}
	var token *string
	for range transfer.MaxAnnotations {
		page, err := s.annotationPage(ctx, key, token)
		if err != nil {
			return nil, err
		}
		for _, entry := range page.Annotations {
			name := aws.ToString(entry.AnnotationName)
			if seen[name] || len(names) == transfer.MaxAnnotations {
				return nil, fmt.Errorf("%w: %q is repeated, or there are more than %d", errAnnotationList, name, transfer.MaxAnnotations)
			}
			seen[name], names = true, append(names, name)
		}
		next := aws.ToString(page.NextContinuationToken)
		switch {
		case next == "":
			return names, nil
		case next == aws.ToString(token):
			return nil, fmt.Errorf("%w: the same continuation token again", errAnnotationList)
		}
		token = &next
	}
	return nil, fmt.Errorf("%w: more than %d pages", errAnnotationList, transfer.MaxAnnotations)
}

func (s *source) annotationPage(ctx context.Context, key string, token *string) (page *s3.ListObjectAnnotationsOutput, err error) {
	err = s.requests.Send(ctx, func(ctx context.Context) (err error) {
		page, err = s.api.ListObjectAnnotations(ctx, &s3.ListObjectAnnotationsInput{
			Bucket: &s.place.Bucket, Key: &key, ContinuationToken: token, ExpectedBucketOwner: s.place.ExpectedOwner(), RequestPayer: request.Payer(s.place),
		})
		return err
	})
	return page, err
}

func (s *source) readAnnotation(ctx context.Context, key, name string) ([]byte, error) {
	out, err := s.api.GetObjectAnnotation(ctx, &s3.GetObjectAnnotationInput{
		Bucket: &s.place.Bucket, Key: &key, AnnotationName: &name, ChecksumMode: types.ChecksumModeEnabled,
		ExpectedBucketOwner: s.place.ExpectedOwner(), RequestPayer: request.Payer(s.place),
	})
	if err != nil {
		return nil, err
	}
	payload, err := io.ReadAll(io.LimitReader(out.AnnotationPayload, transfer.MaxAnnotation+1))
	err = errors.Join(err, out.AnnotationPayload.Close())
	switch {
	case err != nil:
		return nil, err
	case int64(len(payload)) != aws.ToInt64(out.ContentLength):
		return nil, fmt.Errorf("%w: %d bytes of %d", io.ErrUnexpectedEOF, len(payload), aws.ToInt64(out.ContentLength))
	}
	return payload, nil
}
