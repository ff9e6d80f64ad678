// Package peer learns what a service says of itself in passing: what it calls itself, and what its
// clock shows.
//
// It promises to add no request and no wait: it reads the headers of answers that somebody else
// asked for. It leaves to others what follows from them.
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

// Peer is a service that clients talk to. The zero Peer has said nothing yet. It is safe for
// concurrent use.
type Peer struct {
	mu   sync.Mutex
	name string
	// The last answer's date, and when it came. What went by since then is measured with the
	// monotonic clock, so that setting this machine's clock changes nothing.
	date, received time.Time
}

// Attach has a client's answers observed; it is one of the client's APIOptions. Several clients may
// share a Peer.
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
		return out, metadata, err // whoever answered, it was not the service
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if name := answer.Header.Get("Server"); name != "" {
		p.name = name
	}
	date, dated := awsmiddleware.GetServerTime(metadata)
	received, ok := awsmiddleware.GetResponseAt(metadata)
	if dated && ok && answer.Header.Get("Age") == "" { // a cache answers with the date of its own copy
		p.date, p.received = date, received
	}
	return out, metadata, err
}

// Name returns what the service calls itself in the Server header, "" as long as it has not.
func (p *Peer) Name() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.name
}

// At returns what the service's clock showed at a time of this process, by its last answer; ok is
// false before there is one. The header has whole seconds (RFC 9110, section 6.6.1), so that its
// clock may have been up to one second further.
func (p *Peer) At(t time.Time) (there time.Time, ok bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.date.IsZero() {
		return t, false
	}
	return p.date.Add(t.Sub(p.received)), true
}
