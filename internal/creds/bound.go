package creds

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"syncd/internal/awserr"

	"github.com/aws/smithy-go/middleware"
)

// bound contains the deadline of one retrieval of credentials, and the last error of its requests.
// It is passed as a context value, because a request that one of the SDK's caches sends does not
// inherit the deadline of the cache's caller.
type bound struct {
	deadline time.Time

	mu   sync.Mutex
	last error
}

// boundKey is the context key of a bound.
type boundKey struct{}

// errSlow means that a retrieval ran out of time.
var errSlow = errors.New("no credentials")

// within calls get, which retrieves credentials, and ends it after limit. The call is one attempt
// of a retrieval that started at began. If get runs out of time, by this limit or by a deadline of
// the SDK, the error contains the last failed request, and is not a context error.
func within[T any](ctx context.Context, began time.Time, limit time.Duration, get func(context.Context) (T, error)) (T, error) {
	b := &bound{deadline: time.Now().Add(limit)}
	limited, cancel := context.WithDeadline(context.WithValue(ctx, boundKey{}, b), b.deadline)
	defer cancel()
	got, err := get(limited)
	if err == nil || ctx.Err() != nil || !awserr.Ended(err) {
		return got, err
	}
	took := max(time.Since(began).Round(time.Second), time.Second)
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.last != nil {
		return got, fmt.Errorf("%w within %s: %w", errSlow, took, b.last)
	}
	return got, fmt.Errorf("%w within %s: no answer", errSlow, took)
}

// attachBound applies the deadline of a retrieval to the requests that a client sends for it.
func attachBound(stack *middleware.Stack) error {
	limited := func(ctx context.Context, in middleware.InitializeInput, next middleware.InitializeHandler) (middleware.InitializeOutput, middleware.Metadata, error) {
		if b, ok := ctx.Value(boundKey{}).(*bound); ok {
			var cancel context.CancelFunc
			ctx, cancel = context.WithDeadline(ctx, b.deadline)
			defer cancel()
		}
		return next.HandleInitialize(ctx, in)
	}
	observed := func(ctx context.Context, in middleware.DeserializeInput, next middleware.DeserializeHandler) (middleware.DeserializeOutput, middleware.Metadata, error) {
		out, metadata, err := next.HandleDeserialize(ctx, in)
		if b, ok := ctx.Value(boundKey{}).(*bound); ok && err != nil && !awserr.Ended(err) {
			b.mu.Lock()
			b.last = err
			b.mu.Unlock()
		}
		return out, metadata, err
	}
	// The deadline is added after the SDK's own middleware, because a client of instance metadata
	// that finds a deadline in its context does not set its own.
	return errors.Join(
		stack.Initialize.Add(middleware.InitializeMiddlewareFunc("syncd.bound", limited), middleware.After),
		stack.Deserialize.Add(middleware.DeserializeMiddlewareFunc("syncd.bound.observe", observed), middleware.Before),
	)
}
