// Package peer observes two headers of a service's responses: Server, its name, and Date, its
// clock.
//
// It sends no requests: it reads the headers of the responses that clients receive anyway. The
// callers decide what to do with the name and the clock.
package peer

import (
	"context"
	"fmt"
	"sync"
	"time"

	awsmiddleware "github.com/aws/aws-sdk-go-v2/aws/middleware"
	"github.com/aws/smithy-go/middleware"
	smithyhttp "github.com/aws/smithy-go/transport/http"
)

// Peer is a service that clients send requests to. The zero Peer is ready to use. It is safe for
// concurrent use.
type Peer struct {
	mu   sync.Mutex
	name string
	// The Date of the last response, and when it was received. The time since then is measured with
	// the monotonic clock, so that setting this machine's clock has no effect.
	date, received time.Time
}

// Attach observes the responses to a client; it is one of the client's APIOptions. Several clients
// may share a Peer.
func (p *Peer) Attach(stack *middleware.Stack) error {
	err := stack.Deserialize.Add(middleware.DeserializeMiddlewareFunc("syncd.Peer", p.observe), middleware.Before)
	if err != nil {
		return fmt.Errorf("attach the observer of a service: %w", err)
	}
	return nil
}

func (p *Peer) observe(ctx context.Context, in middleware.DeserializeInput, next middleware.DeserializeHandler) (middleware.DeserializeOutput, middleware.Metadata, error) {
	out, metadata, err := next.HandleDeserialize(ctx, in)
	answer, ok := out.RawResponse.(*smithyhttp.Response)
	if !ok || answer.Header.Get("X-Amz-Request-Id") == "" {
		return out, metadata, err // the response is not from the service
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if name := answer.Header.Get("Server"); name != "" {
		p.name = name
	}
	date, dated := awsmiddleware.GetServerTime(metadata)
	received, ok := awsmiddleware.GetResponseAt(metadata)
	if dated && ok && answer.Header.Get("Age") == "" { // a cached response (with Age) has an old Date
		p.date, p.received = date, received
	}
	return out, metadata, err
}

// Name returns the service's Server header, or "" if none has been received.
func (p *Peer) Name() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.name
}

// At converts a local time to the service's clock, based on the Date of its last response. Ok is
// false if no response with a Date has been received. The Date header has whole seconds (RFC 9110,
// section 6.6.1), so the service's clock may have been up to one second ahead of the result.
func (p *Peer) At(t time.Time) (there time.Time, ok bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.date.IsZero() {
		return t, false
	}
	return p.date.Add(t.Sub(p.received)), true
}
