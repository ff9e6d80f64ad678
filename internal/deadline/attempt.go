package deadline

import (
	"context"
	"sync/atomic"
	"time"

	awsmiddleware "github.com/aws/aws-sdk-go-v2/aws/middleware"
	"github.com/aws/smithy-go/middleware"
	smithyhttp "github.com/aws/smithy-go/transport/http"

	"syncd/internal/awserr"
)

// Patience is how long an attempt of a client may go without an answer.
type Patience struct {
	// For returns the time of an operation.
	For func(operation string) time.Duration
	// Streams reports whether the answer's body is read after the call; the time is then for its
	// beginning alone. Nil: never.
	Streams func(operation string) bool
}

// Attach bounds each attempt of a client, so that a connection which has gone silent is given up
// and the retryer tries another. It is one of the client's APIOptions, before those that observe
// attempts, which then see an *awserr.TimeoutError.
func (p Patience) Attach(stack *middleware.Stack) error {
	return stack.Deserialize.Add(middleware.DeserializeMiddlewareFunc("syncd.Patience", p.bound), middleware.Before)
}

func (p Patience) bound(ctx context.Context, in middleware.DeserializeInput, next middleware.DeserializeHandler) (middleware.DeserializeOutput, middleware.Metadata, error) {
	operation := awsmiddleware.GetOperationName(ctx)
	patience := p.For(operation)
	ctx, cancel := context.WithCancel(ctx)
	var silent atomic.Bool
	timer := time.AfterFunc(patience, func() {
		silent.Store(true)
		cancel()
	})
	out, metadata, err := next.HandleDeserialize(ctx, in)
	timer.Stop()
	if err == nil && p.Streams != nil && p.Streams(operation) {
		return out, metadata, nil // its body is still to be read under ctx, which ends with its parent
	}
	cancel()
	if err != nil && silent.Load() {
		// The SDK's error would look like a request that was canceled, which is not retried.
		late := &awserr.TimeoutError{Limit: patience}
		if request, ok := in.Request.(*smithyhttp.Request); ok {
			late.Endpoint = awserr.EndpointOf(request.URL)
		}
		err = late
	}
	return out, metadata, err
}
