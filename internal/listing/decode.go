package listing

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"

	awsmiddleware "github.com/aws/aws-sdk-go-v2/aws/middleware"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
	"github.com/aws/smithy-go"
	"github.com/aws/smithy-go/middleware"
	smithyhttp "github.com/aws/smithy-go/transport/http"

	"syncd/internal/awserr"
	"syncd/internal/listing/page"
	"syncd/internal/transfer"
)

// contents are the objects of a page, in the order of the page. Their keys are not decoded yet.
type contents struct{ objects []Object }

// contentsKey is the key of a page's *contents in the metadata of the response.
type contentsKey struct{}

// quickly returns an option that makes a request of ListObjectsV2 use package page instead of the
// SDK's decoder. The output then has no Contents: [contentsOf] returns the objects. The parameter
// keys is the expected number of objects.
func quickly(keys int32) func(*s3.Options) {
	replace := func(stack *middleware.Stack) error {
		own := &decoder{keys: int(keys)}
		sdk, err := stack.Deserialize.Swap(own.ID(), own)
		if err != nil {
			return fmt.Errorf("replace the decoder of pages: %w", err)
		}
		own.sdk = sdk
		return nil
	}
	return func(o *s3.Options) { o.APIOptions = append(o.APIOptions, replace) }
}

// contentsOf returns the objects of a page that was requested with the option of quickly.
func contentsOf(out *s3.ListObjectsV2Output) ([]Object, error) {
	found, ok := out.ResultMetadata.Get(contentsKey{}).(*contents)
	if !ok {
		return nil, errors.New("BUG: the client ignored an option of the request")
	}
	return found.objects, nil
}

// decoder decodes pages. It passes every response that is not a page to the SDK's decoder, so that
// errors are the SDK's. The other middleware of the client, which checks and counts responses, is
// the same with both decoders.
type decoder struct {
	sdk  middleware.DeserializeMiddleware
	keys int // expected number of objects
}

// ID returns the id of the SDK's decoder, because other middleware is placed relative to it.
func (d *decoder) ID() string { return "OperationDeserializer" }

// HandleDeserialize decodes a response.
func (d *decoder) HandleDeserialize(ctx context.Context, in middleware.DeserializeInput, next middleware.DeserializeHandler) (out middleware.DeserializeOutput, metadata middleware.Metadata, err error) {
	out, metadata, err = next.HandleDeserialize(ctx, in)
	response, ok := out.RawResponse.(*smithyhttp.Response)
	if err != nil || !ok || response.StatusCode < http.StatusOK || response.StatusCode >= http.StatusMultipleChoices {
		return d.sdk.HandleDeserialize(ctx, in, received{out, metadata, err})
	}
	defer func() { smithyhttp.CloseResponseBody(ctx, response, false, err) }()
	head, found, err := d.read(response.Body)
	out.Result = &s3.ListObjectsV2Output{
		IsTruncated: head.IsTruncated, KeyCount: head.KeyCount, EncodingType: types.EncodingType(head.EncodingType), NextContinuationToken: head.NextContinuationToken,
	}
	metadata.Set(contentsKey{}, found)
	switch {
	case err == nil, err == io.EOF: //nolint:errorlint // Decode returns io.EOF itself for a body without an element, which package admit rejects
		return out, metadata, nil
	case errors.Is(err, page.ErrEntries):
		return out, metadata, &awserr.AnswerError{
			Operation: awsmiddleware.GetOperationName(ctx), Problem: err.Error(), Class: awserr.Transient, Foreign: response.Header.Get("X-Amz-Request-Id") == "",
		}
	}
	return out, metadata, &smithy.DeserializationError{Err: fmt.Errorf("decode page: %w", err)}
}

// read decodes a page.
func (d *decoder) read(body io.Reader) (page.Head, *contents, error) {
	found := &contents{}
	head, err := page.Decode(body, func(e page.Entry) {
		if found.objects == nil {
			found.objects = make([]Object, 0, d.keys)
		}
		found.objects = append(found.objects, Object{
			Key: e.Key, Version: transfer.Version{ETag: e.ETag, Size: e.Size, LastModified: e.LastModified}, StorageClass: e.StorageClass,
		})
	})
	return head, found, err
}

// received is a handler that returns a response that was received before.
type received struct {
	out      middleware.DeserializeOutput
	metadata middleware.Metadata
	err      error
}

// HandleDeserialize returns the response.
func (r received) HandleDeserialize(context.Context, middleware.DeserializeInput) (middleware.DeserializeOutput, middleware.Metadata, error) {
	return r.out, r.metadata, r.err
}
