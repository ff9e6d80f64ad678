// Package deadline bounds one request of the program, and says why it was not answered in time.
//
// It promises that a request which is given up ends with an [awserr.TimeoutError] that names where
// it was sent and the last thing that went wrong before: an SDK client tries again until its
// context ends, and then reports no more than that it was canceled. It promises as well that the
// time stands still while a request waits for a rate or a slot that it was told to wait for, and
// for another request that has a bound of its own, as the session under an S3 request. An end that
// is the caller's own is left as it is.
//
// It leaves to others how long a request may take, and how often it is tried.
//
// Two words: an attempt is one of the several times that a client sends a request; a cause is why
// one of them failed.
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

// Do sends a request under a context that ends after limit. When that is why send failed, the error
// is an *awserr.TimeoutError with the cause of the last attempt, as far as the client has [Attach]
// among its APIOptions.
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

// Attach has a client note why its attempts fail; it is one of the client's APIOptions.
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
		return fmt.Errorf("attach the causes of attempts: %w", err)
	}
	send := func(ctx context.Context, in middleware.DeserializeInput, next middleware.DeserializeHandler) (middleware.DeserializeOutput, middleware.Metadata, error) {
		if request, ok := in.Request.(*smithyhttp.Request); ok {
			of(ctx).sent(awserr.EndpointOf(request.URL))
		}
		return next.HandleDeserialize(ctx, in)
	}
	return stack.Deserialize.Add(middleware.DeserializeMiddlewareFunc("syncd.deadline.sent", send), middleware.Before)
}

// Pause stops the time of all bounds of a context until resume is called.
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

// watchKey is under which a context has its innermost watch.
type watchKey struct{}

func of(ctx context.Context) *watch {
	w, _ := ctx.Value(watchKey{}).(*watch)
	return w
}

// watch is a timer that can stand still, and the last cause.
type watch struct {
	outer *watch // of the context that it was made with

	mu      sync.Mutex
	timer   *time.Timer
	left    time.Duration // when it began to run last
	since   time.Time     // when that was
	waiting int           // requests for which it stands still
	over    bool          // it has run out, or is not needed any more

	begun    bool   // an attempt was made
	endpoint string // that the last one was sent to, "" while it lacks credentials
	cause    error  // why the last one failed that has failed
}

// begin notes that an attempt begins, for which credentials are needed first.
func (w *watch) begin() {
	if w == nil {
		return
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.begun, w.endpoint = true, ""
}

// sent notes where the attempt is sent.
func (w *watch) sent(endpoint string) {
	if w == nil {
		return
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.endpoint = endpoint
}

// note keeps the cause, which is also that of what the request is part of.
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

// Sleep returns after d, or with the context's error when that ends first.
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
