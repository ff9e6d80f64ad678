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

// Patience is how long a client waits for the response to an attempt.
type Patience struct {
	// For returns the time limit for an operation.
	For func(operation string) time.Duration
	// Streams reports whether the body of the response is read after the call; the limit then
	// applies only until the response begins. Nil means never.
	Streams func(operation string) bool
}

// Attach limits the time of each attempt of a client, so that a silent connection is abandoned and
// the retryer tries another one. It is one of the client's APIOptions. It must come before the
// options that observe attempts, so that these see an *awserr.TimeoutError.
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
		return out, metadata, nil // ctx must last while the body is read; it ends with its parent
	}
	cancel()
	if err != nil && silent.Load() {
		// The SDK's own error would look like the error of a canceled request, which clients do not
		// retry.
		late := &awserr.TimeoutError{Limit: patience}
		if request, ok := in.Request.(*smithyhttp.Request); ok {
			late.Endpoint = awserr.EndpointOf(request.URL)
		}
		err = late
	}
	return out, metadata, err
}
