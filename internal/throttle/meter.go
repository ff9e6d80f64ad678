package throttle

import (
	"context"
	"maps"
	"sync"
	"time"

	"github.com/aws/smithy-go/middleware"

	awsmiddleware "github.com/aws/aws-sdk-go-v2/aws/middleware"

	"syncd/internal/awserr"
)

// Attempt is one request as sent to the service, for example one of several retries.
type Attempt struct {
	// Operation is the API name of the request.
	Operation string
	// Class is the class of the attempt's error, "" for success.
	Class awserr.Class
	// Duration is the time from sending until the response's headers, or until the whole response
	// if the SDK reads it.
	Duration time.Duration
}

// Meter counts attempts. The zero Meter is ready to use. It is safe for concurrent use by several
// clients.
type Meter struct {
	// Observe, if set, is called for every attempt. It must be safe for concurrent use.
	Observe func(Attempt)

	mu     sync.Mutex
	counts Counts
}

// Counts are the attempts so far.
type Counts struct {
	// Requests is the number of attempts by operation.
	Requests map[string]int64
	// Throttled is how many attempts were throttled.
	Throttled int64
}

// Since returns the difference between c and the earlier counts.
func (c Counts) Since(earlier Counts) Counts {
	since := Counts{Requests: map[string]int64{}, Throttled: c.Throttled - earlier.Throttled}
	for operation, n := range c.Requests {
		if n -= earlier.Requests[operation]; n > 0 {
			since.Requests[operation] = n
		}
	}
	return since
}

// Counts returns a copy of the counts so far.
func (m *Meter) Counts() Counts {
	m.mu.Lock()
	defer m.mu.Unlock()
	return Counts{Requests: maps.Clone(m.counts.Requests), Throttled: m.counts.Throttled}
}

// Attach adds the meter to a client's middleware stack. Use it as one of the client's APIOptions.
func (m *Meter) Attach(stack *middleware.Stack) error {
	// After the retryer, so that the meter sees every attempt, and before the deserializer, so that
	// it sees the result.
	return stack.Deserialize.Add(middleware.DeserializeMiddlewareFunc("syncd.Meter", m.handle), middleware.Before)
}

func (m *Meter) handle(ctx context.Context, in middleware.DeserializeInput, next middleware.DeserializeHandler) (middleware.DeserializeOutput, middleware.Metadata, error) {
	start := time.Now()
	out, metadata, err := next.HandleDeserialize(ctx, in)
	m.count(Attempt{Operation: awsmiddleware.GetOperationName(ctx), Class: awserr.Classify(err), Duration: time.Since(start)})
	return out, metadata, err
}

func (m *Meter) count(a Attempt) {
	m.mu.Lock()
	if m.counts.Requests == nil {
		m.counts.Requests = map[string]int64{}
	}
	m.counts.Requests[a.Operation]++
	if a.Class == awserr.Throttled || a.Class == awserr.ThrottledKMS {
		m.counts.Throttled++
	}
	m.mu.Unlock()
	if m.Observe != nil {
		m.Observe(a)
	}
}
