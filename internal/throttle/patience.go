package throttle

import (
	"context"
	"sync/atomic"
	"time"

	"github.com/aws/smithy-go/middleware"
	smithyhttp "github.com/aws/smithy-go/transport/http"

	awsmiddleware "github.com/aws/aws-sdk-go-v2/aws/middleware"

	"syncd/internal/awserr"
)

const (
	// askPatience is how long an attempt may go without an answer that S3 gives from its index.
	askPatience = time.Minute
	// movePatience is how long one may that moves content, or puts the parts of an upload together: 5 GiB from another
	// region take minutes, and so do 10,000 parts (Amazon S3 API Reference, CompleteMultipartUpload).
	movePatience = 10 * time.Minute
)

// Patience bounds how long each attempt of a client may wait for its answer, so that a connection which has gone silent is
// given up and the retryer tries another. It is one of the client's APIOptions, before a Meter and a Guard, which then see
// a timeout. A body that is read later is not bounded.
func Patience(stack *middleware.Stack) error {
	return stack.Deserialize.Add(middleware.DeserializeMiddlewareFunc("syncd.Patience", bound), middleware.Before)
}

func bound(ctx context.Context, in middleware.DeserializeInput, next middleware.DeserializeHandler) (middleware.DeserializeOutput, middleware.Metadata, error) {
	operation := awsmiddleware.GetOperationName(ctx)
	patience := patienceFor(operation)
	ctx, cancel := context.WithCancel(ctx)
	var silent atomic.Bool
	timer := time.AfterFunc(patience, func() {
		silent.Store(true)
		cancel()
	})
	out, metadata, err := next.HandleDeserialize(ctx, in)
	timer.Stop()
	if err == nil && streams(operation) {
		return out, metadata, nil // its body is still to be read under ctx, which ends with its parent
	}
	cancel()
	if err != nil && silent.Load() {
		// The SDK's error would look like a request that was canceled, which nobody retries.
		late := &awserr.TimeoutError{Limit: patience}
		if request, ok := in.Request.(*smithyhttp.Request); ok {
			late.Endpoint = awserr.EndpointOf(request.URL)
		}
		err = late
	}
	return out, metadata, err
}

// streams reports whether the answer of an operation is read after it was returned.
func streams(operation string) bool {
	return operation == "GetObject" || operation == "GetObjectAnnotation"
}

func patienceFor(operation string) time.Duration {
	switch operation {
	case "CopyObject", "UploadPartCopy", "PutObject", "UploadPart", "CompleteMultipartUpload":
		return movePatience
	default:
		return askPatience
	}
}
