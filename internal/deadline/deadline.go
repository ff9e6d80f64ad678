// Package deadline limits the time of a request, and reports why it had no response in time.
//
// A request that times out fails with an [awserr.TimeoutError], which names the endpoint and the
// last failure before it. An SDK client alone would retry until its context ends, and then report
// only that it was canceled. The time limit is paused while a request waits for the rate limit, for
// a slot, or for another request with its own time limit, such as AssumeRole during an S3 request.
// If the caller's context ends, the error is unchanged.
//
// The caller decides how long a request may take, and the client's retryer how often it is sent.
//
// Two terms: an attempt is one transmission of a request, which a client can send several times; a
// cause is the error of a failed attempt.
package deadline

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/aws/smithy-go/middleware"
	smithyhttp "github.com/aws/smithy-go/transport/http"

	"syncd/internal/awserr"
)

// Do calls send with a context that ends after limit. If send fails because that context ended, the
// error is an *awserr.TimeoutError. It includes the cause of the last attempt if the client has
// [Attach] among its APIOptions.
func Do(ctx context.Context, limit time.Duration, send func(context.Context) error) error {
	bounded, cancel := context.WithCancelCause(ctx)
	w := &watch{outer: of(ctx), left: limit, since: time.Now()}
	w.timer = time.AfterFunc(limit, func() { cancel(context.DeadlineExceeded) })
	defer cancel(nil)
	defer w.end()
	defer Pause(ctx)()
	err := send(context.WithValue(bounded, watchKey{}, w))
	if err == nil || bounded.Err() == nil || ctx.Err() != nil || !awserr.Ended(err) {
		return err
	}
	return w.timeout(limit)
}

// Attach makes a client record why its attempts fail; it is one of the client's APIOptions.
func Attach(stack *middleware.Stack) error {
	if _, ok := stack.Finalize.Get("Retry"); !ok {
		return nil
	}
	attempt := func(ctx context.Context, in middleware.FinalizeInput, next middleware.FinalizeHandler) (middleware.FinalizeOutput, middleware.Metadata, error) {
		of(ctx).begin()
		out, metadata, err := next.HandleFinalize(ctx, in)
		if err != nil && ctx.Err() == nil {
			of(ctx).note(err)
		}
		return out, metadata, err
	}
	if err := stack.Finalize.Insert(middleware.FinalizeMiddlewareFunc("syncd.deadline", attempt), "Retry", middleware.After); err != nil {
		return fmt.Errorf("attach the recorder of failed attempts: %w", err)
	}
	send := func(ctx context.Context, in middleware.DeserializeInput, next middleware.DeserializeHandler) (middleware.DeserializeOutput, middleware.Metadata, error) {
		if request, ok := in.Request.(*smithyhttp.Request); ok {
			of(ctx).sent(awserr.EndpointOf(request.URL))
		}
		return next.HandleDeserialize(ctx, in)
	}
	return stack.Deserialize.Add(middleware.DeserializeMiddlewareFunc("syncd.deadline.sent", send), middleware.Before)
}

// Pause stops all time limits of a context until resume is called.
func Pause(ctx context.Context) (resume func()) {
	innermost := of(ctx)
	for w := innermost; w != nil; w = w.outer {
		w.pause()
	}
	return func() {
		for w := innermost; w != nil; w = w.outer {
			w.resume()
		}
	}
}

// watchKey is the context key of the innermost watch.
type watchKey struct{}

func of(ctx context.Context) *watch {
	w, _ := ctx.Value(watchKey{}).(*watch)
	return w
}

// watch is a timer that can be paused, with the state of the last attempt.
type watch struct {
	outer *watch // watch of the parent context, or nil

	mu      sync.Mutex
	timer   *time.Timer
	left    time.Duration // time left when the timer was last started
	since   time.Time     // when the timer was last started
	waiting int           // number of pauses in effect
	over    bool          // the timer has fired, or is no longer needed

	begun    bool   // an attempt was made
	endpoint string // where the last attempt was sent, "" while it waits for credentials
	cause    error  // why the last failed attempt failed
}

// begin records that an attempt begins. The attempt first waits for credentials.
func (w *watch) begin() {
	if w == nil {
		return
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.begun, w.endpoint = true, ""
}

// sent records the endpoint to which the attempt is sent.
func (w *watch) sent(endpoint string) {
	if w == nil {
		return
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.endpoint = endpoint
}

// note records the cause in w and in all its outer watches.
func (w *watch) note(err error) {
	for ; w != nil; w = w.outer {
		w.mu.Lock()
		w.cause = err
		w.mu.Unlock()
	}
}

func (w *watch) timeout(limit time.Duration) *awserr.TimeoutError {
	w.mu.Lock()
	defer w.mu.Unlock()
	return &awserr.TimeoutError{Limit: limit, Endpoint: w.endpoint, Unsent: w.begun && w.endpoint == "", Err: w.cause}
}

func (w *watch) pause() {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.waiting++; w.waiting > 1 || w.over {
		return
	}
	w.over = !w.timer.Stop()
	w.left -= time.Since(w.since)
}

func (w *watch) resume() {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.waiting--; w.waiting > 0 || w.over {
		return
	}
	w.since = time.Now()
	w.timer.Reset(w.left)
}

func (w *watch) end() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.over = true
	w.timer.Stop()
}

// Sleep waits for d. If ctx ends first, it returns the error of ctx.
func Sleep(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
