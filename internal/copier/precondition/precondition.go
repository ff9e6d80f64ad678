// Package precondition provides the conditions for writing copies, and tracks how the destination
// treats them.
//
// It guarantees that, for each kind of write, only one caller at a time probes how the service
// treats conditions, while other callers wait. It also guarantees that If-Match is tried again an
// hour after it was denied.
//
// The copier decides which condition a write needs, sends the write and interprets the response.
package precondition

import (
	"context"
	"strings"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"

	"syncd/internal/awserr"
	"syncd/internal/copier/request"
)

// Condition is a condition on the object at the destination's key; if it is false, the write fails
// ("Conditional requests", Amazon S3 User Guide). The zero Condition is always true.
type Condition struct {
	Match string // ETag of the existing object
	None  bool   // no object exists
}

// IfMatch returns the value of the If-Match header, nil for none.
func (c Condition) IfMatch() *string { return request.Optional(c.Match) }

// IfNoneMatch returns the value of the If-None-Match header, nil for none.
func (c Condition) IfNoneMatch() *string {
	if c.None {
		return aws.String("*")
	}
	return nil
}

// Never returns a condition that is always false.
func Never() Condition { return Condition{Match: `"syncd-never"`} }

// Mode is how a service treats the conditions of one kind of write.
type Mode int

// The modes of a kind of write.
const (
	Unknown  Mode = iota
	Probing       // the caller must probe with a write that has the condition Never
	Honoured      // the service refuses a write whose condition is false
	Ignored       // the service ignores or rejects conditions
)

// Known records how the destination treats conditions, by operation, and whether the role has
// permission to send If-Match. It is safe for concurrent use.
type Known struct {
	assumed func() bool // whether conditions are assumed to be honored

	mu          sync.Mutex
	known       map[string]Mode
	probes      map[string]chan struct{} // closed when the probe of an operation has ended
	matchDenied time.Time                // when a write was last denied with If-Match but allowed without it; zero if never
	matchTaken  bool                     // whether a write with If-Match was allowed
}

// New returns a Known without any observations. The function assumed reports whether conditions are
// assumed to be honored until a response shows otherwise; nil means that they are.
func New(assumed func() bool) *Known {
	return &Known{assumed: assumed, known: map[string]Mode{}, probes: map[string]chan struct{}{}}
}

// Of returns the mode of an operation. It returns Probing to one caller at a time, which must call
// Learnt; the other callers wait.
func (c *Known) Of(ctx context.Context, operation string) (Mode, error) {
	for {
		c.mu.Lock()
		now, probe := c.known[operation], c.probes[operation]
		switch {
		case now != Unknown:
		case c.assumed == nil || c.assumed():
			now = Honoured
		case probe == nil:
			c.probes[operation] = make(chan struct{})
			now = Probing
		}
		c.mu.Unlock()
		if now != Unknown {
			return now, nil
		}
		select {
		case <-probe:
		case <-ctx.Done():
			return Unknown, ctx.Err()
		}
	}
}

// IsSure reports whether writes of the operation are protected by their conditions.
func (c *Known) IsSure(operation string) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	now := c.known[operation]
	return now == Honoured || now == Unknown && (c.assumed == nil || c.assumed())
}

// Learnt ends a probe of an operation. The parameter now is the mode that the probe has found. Pass
// Unknown if the probe was inconclusive.
func (c *Known) Learnt(operation string, now Mode) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if now != Unknown {
		c.known[operation] = now
	}
	if probe := c.probes[operation]; probe != nil {
		delete(c.probes, operation)
		close(probe)
	}
}

// matchDenials is the time for which If-Match is not sent after it was denied. After that time it
// is tried again, because the permission may have been added.
const matchDenials = time.Hour

// IsMatchDenied reports whether a write was recently denied because of its If-Match.
func (c *Known) IsMatchDenied() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return !c.matchDenied.IsZero() && time.Since(c.matchDenied) < matchDenials
}

// Matched records whether the role has permission to send If-Match.
func (c *Known) Matched(may bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.matchTaken = may; !may {
		c.matchDenied = time.Now()
	}
}

// MayBeForMatch reports whether a write may have been denied because of its If-Match, which
// requires s3:GetObject in addition to s3:PutObject (Amazon S3 User Guide, "How to prevent object
// overwrites with conditional writes"). A denial that names another permission has another cause.
func (c *Known) MayBeForMatch(denial error, bucket string) bool {
	action, resource := awserr.Refused(denial)
	c.mu.Lock()
	defer c.mu.Unlock()
	return !c.matchTaken && (action == "" || action == "s3:GetObject" && strings.Contains(resource, ":::"+bucket+"/"))
}
