// Package annotation lists, reads and compares the annotations of objects.
//
// A [Side] reads the annotations of the objects on one side, and [Differing] compares an object with its
// copy. The copier writes annotations. They are read by key, not by version.
package annotation

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"

	"syncd/internal/copier/request"
	"syncd/internal/transfer"
)

// API is the part of the S3 client that reads annotations.
type API interface {
	ListObjectAnnotations(ctx context.Context, in *s3.ListObjectAnnotationsInput, opts ...func(*s3.Options)) (*s3.ListObjectAnnotationsOutput, error)
	GetObjectAnnotation(ctx context.Context, in *s3.GetObjectAnnotationInput, opts ...func(*s3.Options)) (*s3.GetObjectAnnotationOutput, error)
}

// Memory limits how many annotations are in memory at once.
type Memory chan struct{}

// NewMemory returns a Memory for eight annotations.
func NewMemory() Memory { return make(Memory, 8) }

// Acquire waits until one more annotation may be in memory.
func (m Memory) Acquire(ctx context.Context) (release func(), err error) {
	select {
	case m <- struct{}{}:
		return func() { <-m }, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// Side reads annotations on one side of a mapping.
type Side struct {
	API      API
	Place    transfer.Place
	Requests *request.Sender
}

// errList reports a listing of annotations that is invalid and that S3 never returns.
var errList = errors.New("the service returned an invalid list of annotations")

// Sizes lists the annotations of an object: their sizes in bytes, by name. It returns an error after more
// names or pages than an object can have.
func (s Side) Sizes(ctx context.Context, key string) (map[string]int64, error) {
	sizes := map[string]int64{}
	var token *string
	for range transfer.MaxAnnotations {
		page, err := s.page(ctx, key, token)
		if err != nil {
			return nil, err
		}
		for _, entry := range page.Annotations {
			name := aws.ToString(entry.AnnotationName)
			if _, isRepeated := sizes[name]; isRepeated || len(sizes) == transfer.MaxAnnotations {
				return nil, fmt.Errorf("%w: %q is repeated, or there are more than %d", errList, name, transfer.MaxAnnotations)
			}
			sizes[name] = aws.ToInt64(entry.Size)
		}
		next := aws.ToString(page.NextContinuationToken)
		switch {
		case next == "":
			return sizes, nil
		case next == aws.ToString(token):
			return nil, fmt.Errorf("%w: the same continuation token again", errList)
		}
		token = &next
	}
	return nil, fmt.Errorf("%w: more than %d pages", errList, transfer.MaxAnnotations)
}

func (s Side) page(ctx context.Context, key string, token *string) (page *s3.ListObjectAnnotationsOutput, err error) {
	err = s.Requests.Send(ctx, func(ctx context.Context) (err error) {
		page, err = s.API.ListObjectAnnotations(ctx, &s3.ListObjectAnnotationsInput{
			Bucket: &s.Place.Bucket, Key: &key, ContinuationToken: token, ExpectedBucketOwner: s.Place.ExpectedOwner(), RequestPayer: request.Payer(s.Place),
		})
		return err
	})
	return page, err
}

// Read returns the content of one annotation.
func (s Side) Read(ctx context.Context, key, name string) (payload []byte, err error) {
	err = s.Requests.Send(ctx, func(ctx context.Context) (err error) {
		payload, err = s.read(ctx, key, name)
		return err
	})
	return payload, err
}

func (s Side) read(ctx context.Context, key, name string) ([]byte, error) {
	out, err := s.API.GetObjectAnnotation(ctx, &s3.GetObjectAnnotationInput{
		Bucket: &s.Place.Bucket, Key: &key, AnnotationName: &name, ChecksumMode: types.ChecksumModeEnabled,
		ExpectedBucketOwner: s.Place.ExpectedOwner(), RequestPayer: request.Payer(s.Place),
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

// sum returns a hash of the content of one annotation.
func (s Side) sum(ctx context.Context, m Memory, key, name string) (sum [sha256.Size]byte, err error) {
	release, err := m.Acquire(ctx)
	if err != nil {
		return sum, err
	}
	defer release()
	payload, err := s.Read(ctx, key, name)
	return sha256.Sum256(payload), err
}

// Object is an object on one side.
type Object struct {
	Side

	Key string
}

// Differing returns the names of the annotations of a copy that differ from those of its source, in order.
// It reads those that have the same name and size on both sides, because nothing in a listing of annotations
// shows that the content is the same under two KMS keys.
func Differing(ctx context.Context, m Memory, source, copied Object) (names []string, err error) {
	want, err := source.Sizes(ctx, source.Key)
	if err != nil {
		return nil, err
	}
	found, err := copied.Sizes(ctx, copied.Key)
	if err != nil {
		return nil, err
	}
	for name, size := range want {
		isSame := false
		if other, exists := found[name]; exists && size == other {
			if isSame, err = sameContent(ctx, m, source, copied, name); err != nil {
				return nil, err
			}
		}
		if !isSame {
			names = append(names, name)
		}
		delete(found, name)
	}
	for name := range found {
		names = append(names, name)
	}
	slices.Sort(names)
	return names, nil
}

func sameContent(ctx context.Context, m Memory, source, copied Object, name string) (bool, error) {
	want, err := source.sum(ctx, m, source.Key, name)
	if err != nil {
		return false, err
	}
	found, err := copied.sum(ctx, m, copied.Key, name)
	return want == found, err
}
