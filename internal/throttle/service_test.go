package throttle_test

import (
	"context"
	"errors"
	"math/rand/v2"
	"net/http"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	awsmiddleware "github.com/aws/aws-sdk-go-v2/aws/middleware"
	"github.com/aws/smithy-go"
	"github.com/aws/smithy-go/middleware"
	smithyhttp "github.com/aws/smithy-go/transport/http"

	"syncd/internal/throttle"
)

// quota is a token bucket that refuses requests for which it has no tokens.
type quota struct {
	rate, burst float64 // a rate of 0 means no limit
	tokens      float64
	at          time.Time
}

func newQuota(rate, burst float64) quota {
	return quota{rate: rate, burst: burst, tokens: burst, at: time.Now()}
}

func (q *quota) take(n float64) bool {
	now := time.Now()
	q.tokens = min(q.tokens+q.rate*now.Sub(q.at).Seconds(), q.burst)
	q.at = now
	if q.rate > 0 && q.tokens < n {
		return false
	}
	q.tokens -= n
	return true
}

// service simulates S3, with quotas and a latency, and counts the requests.
type service struct {
	latency func(operation string, underWay int) time.Duration
	fail    func() error // called for each request; a non-nil error is returned as the answer

	mu       sync.Mutex
	s3, kms  quota
	outage   bool
	underWay int
	served   map[string]int
	refused  map[string]int
}

func newService(latency time.Duration, s3, kms quota) *service {
	return &service{
		latency: func(string, int) time.Duration { return latency }, s3: s3, kms: kms,
		served: map[string]int{}, refused: map[string]int{},
	}
}

// set changes the service while it runs.
func (s *service) set(change func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	change()
}

// counts returns how many requests of an operation were served and how many were refused so far.
func (s *service) counts(operation string) (served, refused int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.served[operation], s.refused[operation]
}

func (s *service) handle(ctx context.Context, _ any) (any, middleware.Metadata, error) {
	operation := awsmiddleware.GetOperationName(ctx)
	s.mu.Lock()
	s.underWay++
	latency := s.latency(operation, s.underWay)
	s.mu.Unlock()
	defer s.set(func() { s.underWay-- })
	// Network latency varies.
	latency = time.Duration(float64(latency) * (0.9 + 0.2*rand.Float64()))
	time.Sleep(latency / 2)
	err := s.decide(operation)
	time.Sleep(latency / 2)
	return nil, middleware.Metadata{}, err
}

func (s *service) decide(operation string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.fail != nil {
		if err := s.fail(); err != nil {
			s.refused[operation]++
			return err
		}
	}
	asks := map[string]float64{"CopyObject": 2, "GetObject": 1}[operation]
	if s.outage || !s.s3.take(1) {
		s.refused[operation]++
		return refusal("Please reduce your request rate.")
	}
	if asks > 0 && !s.kms.take(asks) {
		s.refused[operation]++
		return refusal("Please reduce your request rate for operations involving AWS KMS.")
	}
	s.served[operation]++
	return nil
}

func refusal(message string) error {
	return &smithyhttp.ResponseError{
		Response: &smithyhttp.Response{Response: &http.Response{StatusCode: http.StatusServiceUnavailable}},
		Err:      &smithy.GenericAPIError{Code: "SlowDown", Message: message},
	}
}

// client sends requests to a service through a guard. A middleware stack serves one call at a time.
// The SDK builds a new stack for each call; this client reuses stacks.
type client struct{ stacks sync.Pool }

// newClient returns a client that makes up to eight attempts per call, with pauses like those of a
// real client. It needs only a fraction of the CPU time of the SDK.
func newClient(tb testing.TB, s *service, g *throttle.Guard) *client {
	tb.Helper()
	return guarded(tb, g, tryEightTimes, s.handle)
}

func tryEightTimes(ctx context.Context, in middleware.FinalizeInput, next middleware.FinalizeHandler) (out middleware.FinalizeOutput, metadata middleware.Metadata, err error) {
	longest := 100 * time.Millisecond
	for attempt := range 8 {
		if attempt > 0 {
			time.Sleep(rand.N(min(longest, 10*time.Second)))
			longest *= 3
		}
		if out, metadata, err = next.HandleFinalize(ctx, in); err == nil || ctx.Err() != nil {
			break
		}
	}
	return out, metadata, err
}

// once is a retryer that does not retry.
func once(ctx context.Context, in middleware.FinalizeInput, next middleware.FinalizeHandler) (middleware.FinalizeOutput, middleware.Metadata, error) {
	return next.HandleFinalize(ctx, in)
}

// guarded builds the stack of a client: a retryer, the guard, and a handler that answers.
func guarded(
	tb testing.TB, g *throttle.Guard,
	retryer func(context.Context, middleware.FinalizeInput, middleware.FinalizeHandler) (middleware.FinalizeOutput, middleware.Metadata, error),
	answer func(context.Context, any) (any, middleware.Metadata, error),
) *client {
	tb.Helper()
	return &client{stacks: sync.Pool{New: func() any {
		stack := middleware.NewStack("client", func() any { return nil })
		if err := errors.Join(stack.Finalize.Add(middleware.FinalizeMiddlewareFunc("Retry", retryer), middleware.Before), g.Attach(stack)); err != nil {
			tb.Error(err)
		}
		return middleware.DecorateHandler(middleware.HandlerFunc(answer), stack)
	}}}
}

func (c *client) send(ctx context.Context, operation string) error {
	stack := c.stacks.Get().(middleware.Handler)
	defer c.stacks.Put(stack)
	_, _, err := stack.Handle(awsmiddleware.SetOperationName(ctx, operation), nil)
	return err
}

// load keeps senders busy until it is stopped, and counts the calls that failed in spite of
// retries.
type load struct {
	senders sync.WaitGroup
	stopped chan struct{}
	lost    atomic.Int64
}

func newLoad() *load { return &load{stopped: make(chan struct{})} }

// add starts n senders of one operation. If gate is not nil, each sender acquires a slot before it
// sends.
func (l *load) add(tb testing.TB, n int, c *client, operation string, gate *throttle.Gate) {
	tb.Helper()
	for range n {
		l.senders.Go(func() {
			for {
				select {
				case <-l.stopped:
					return
				default:
				}
				if err := l.send(tb.Context(), c, operation, gate); err != nil {
					l.lost.Add(1)
				}
			}
		})
	}
}

func (l *load) send(ctx context.Context, c *client, operation string, gate *throttle.Gate) error {
	if gate == nil {
		return c.send(ctx, operation)
	}
	if err := gate.Acquire(ctx); err != nil {
		return err
	}
	held, release := gate.Hold(ctx)
	defer release()
	return c.send(held, operation)
}

// stop stops the senders and returns how many calls failed in spite of retries.
func (l *load) stop() int64 {
	close(l.stopped)
	l.senders.Wait()
	return l.lost.Load()
}
