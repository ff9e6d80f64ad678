package copier

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
)

const (
	// maxAnnotation is the longest annotation in bytes (Amazon S3 API Reference, PutObjectAnnotation: 1 MiB).
	maxAnnotation = 1 << 20
	// maxAnnotations is how many annotations an object can have (Amazon S3 API Reference, ListObjectAnnotations: 1,000).
	maxAnnotations = 1000
	// annotationsAtOnce bounds the annotations that are in memory at once.
	annotationsAtOnce = 8
)

// errAnnotationList says that a listing of annotations is none that S3 can have.
var errAnnotationList = errors.New("the service lists annotations as no object can have them")

type sourceAnnotationAPI interface {
	ListObjectAnnotations(ctx context.Context, in *s3.ListObjectAnnotationsInput, opts ...func(*s3.Options)) (*s3.ListObjectAnnotationsOutput, error)
	GetObjectAnnotation(ctx context.Context, in *s3.GetObjectAnnotationInput, opts ...func(*s3.Options)) (*s3.GetObjectAnnotationOutput, error)
}

type annotationAPI interface {
	PutObjectAnnotation(ctx context.Context, in *s3.PutObjectAnnotationInput, opts ...func(*s3.Options)) (*s3.PutObjectAnnotationOutput, error)
}

// annotate gives the copy that was just made the annotations of its source, where the service does not carry them over, and
// only if it is still that copy. They are read by the key, so the source is looked at again when there are any. The copy counts
// only with them, like tags that are set late.
func (j *job) annotate(ctx context.Context, made Result) error {
	c, key := j.c, j.object.Key
	if !c.o.Annotations {
		return nil
	}
	names, err := c.annotationsOf(ctx, key)
	if err != nil {
		return c.failed("list annotations of", key, err)
	}
	for _, name := range names {
		if err := j.carryAnnotation(ctx, name, made); err != nil {
			return &ObjectError{Op: fmt.Sprintf("copy annotation %q of", name), Bucket: c.o.SourcePlace.Bucket, Key: key, Err: err, Hint: hintAnnotations(err)}
		}
	}
	if len(names) == 0 {
		return nil
	}
	_, err = c.head(ctx, key, &j.object.ETag)
	return err
}

// annotationsOf lists the names of a source object's annotations: no more, and by no more pages, than there can be.
func (c *Copier) annotationsOf(ctx context.Context, key string) (names []string, err error) {
	seen := map[string]bool{}
	var token *string
	for range maxAnnotations {
		page, err := c.annotationPage(ctx, key, token)
		if err != nil {
			return nil, err
		}
		for _, entry := range page.Annotations {
			name := aws.ToString(entry.AnnotationName)
			if seen[name] || len(names) == maxAnnotations {
				return nil, fmt.Errorf("%w: %q twice, or more than %d", errAnnotationList, name, maxAnnotations)
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
	return nil, fmt.Errorf("%w: more than %d pages of them", errAnnotationList, maxAnnotations)
}

func (c *Copier) annotationPage(ctx context.Context, key string, token *string) (page *s3.ListObjectAnnotationsOutput, err error) {
	err = c.withSlot(ctx, func(ctx context.Context) (err error) {
		page, err = c.o.Source.ListObjectAnnotations(ctx, &s3.ListObjectAnnotationsInput{
			Bucket: &c.o.SourcePlace.Bucket, Key: &key, ContinuationToken: token, ExpectedBucketOwner: optional(c.o.SourcePlace.Account), RequestPayer: c.payer(),
		})
		return err
	})
	return page, err
}

// carryAnnotation moves one annotation.
func (j *job) carryAnnotation(ctx context.Context, name string, made Result) error {
	c := j.c
	select {
	case c.annotating <- struct{}{}:
		defer func() { <-c.annotating }()
	case <-ctx.Done():
		return ctx.Err()
	}
	var payload []byte
	err := c.withSlot(ctx, func(ctx context.Context) (err error) {
		payload, err = c.readAnnotation(ctx, j.object.Key, name)
		return err
	})
	if err != nil {
		return err
	}
	return j.write(ctx, func(ctx context.Context) error {
		_, err := c.o.Destination.PutObjectAnnotation(ctx, &s3.PutObjectAnnotationInput{
			Bucket: &c.o.DestinationPlace.Bucket, Key: &made.DestinationKey, AnnotationName: &name, ObjectIfMatch: &made.DestinationETag,
			AnnotationPayload: strings.NewReader(string(payload)), ChecksumAlgorithm: types.ChecksumAlgorithmCrc64nvme,
			ExpectedBucketOwner: optional(c.o.DestinationPlace.Account),
		})
		return err
	})
}

func (c *Copier) readAnnotation(ctx context.Context, key, name string) ([]byte, error) {
	out, err := c.o.Source.GetObjectAnnotation(ctx, &s3.GetObjectAnnotationInput{
		Bucket: &c.o.SourcePlace.Bucket, Key: &key, AnnotationName: &name, ChecksumMode: types.ChecksumModeEnabled,
		ExpectedBucketOwner: optional(c.o.SourcePlace.Account), RequestPayer: c.payer(),
	})
	if err != nil {
		return nil, err
	}
	payload, err := io.ReadAll(io.LimitReader(out.AnnotationPayload, maxAnnotation+1))
	err = errors.Join(err, out.AnnotationPayload.Close())
	switch {
	case err != nil:
		return nil, err
	case int64(len(payload)) != aws.ToInt64(out.ContentLength):
		return nil, fmt.Errorf("%w: %d bytes of %d", io.ErrUnexpectedEOF, len(payload), aws.ToInt64(out.ContentLength))
	}
	return payload, nil
}
