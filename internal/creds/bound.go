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

// bound is how long one retrieval of credentials may take, and what went wrong in it last. It goes
// along as a value of the context, because the SDK's caches hide the deadline of their callers from
// the requests that they make.
type bound struct {
	deadline time.Time

	mu   sync.Mutex
	last error
}

// boundKey is under which a context has its bound.
type boundKey struct{}

// errSlow is the cause of a retrieval that came to the end of its time.
var errSlow = errors.New("no credentials")

// within has get retrieve credentials, as one try of a retrieval that began earlier. Where it does
// not come to its end, by our own time or that of the SDK, the error says so with the last cause
// that a request of it had, and never looks like a request that was canceled.
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

// attachBound has the requests of a client end with the retrieval of credentials that they are made
// for.
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
	// After what the SDK adds: a client of instance metadata that sees a deadline does without its
	// own.
	return errors.Join(
		stack.Initialize.Add(middleware.InitializeMiddlewareFunc("syncd.bound", limited), middleware.After),
		stack.Deserialize.Add(middleware.DeserializeMiddlewareFunc("syncd.bound.observe", observed), middleware.Before),
	)
}
