// Package precondition has the conditions under which copies are written, and knows how the
// destination treats them.
//
// It promises that one caller at a time finds out how a service treats the conditions of a kind of
// write, while the others wait, and that a role which may not send If-Match is asked again after
// an hour.
//
// It leaves to the copier which condition a write needs, the write itself, and the judgement of the
// answers.
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

// Condition is what has to hold at the destination's key for a write to happen ("Conditional
// requests", Amazon S3 User Guide): the zero condition holds always.
type Condition struct {
	Match string // ETag of what is there
	None  bool   // nothing is there
}

// IfMatch is the header of the condition, nil for none.
func (c Condition) IfMatch() *string { return request.Optional(c.Match) }

// IfNoneMatch is the header of the condition, nil for none.
func (c Condition) IfNoneMatch() *string {
	if c.None {
		return aws.String("*")
	}
	return nil
}

// Never is a condition that cannot hold.
func Never() Condition { return Condition{Match: `"syncd-never"`} }

// Mode says how a service treats the conditions of one kind of write.
type Mode int

// The modes of a kind of write.
const (
	Unknown  Mode = iota
	Probing       // the caller finds out, with a write that cannot happen if conditions are honoured
	Honoured      // a write whose condition does not hold is refused
	Ignored       // it is not, or no condition is taken
)

// Known is what is known of how the destination treats conditions, by operation, and of whether
// the role may send them. Several goroutines may use it.
type Known struct {
	assumed func() bool // whether conditions are honoured unless an answer says otherwise

	mu          sync.Mutex
	known       map[string]Mode
	probes      map[string]chan struct{} // closed when the probe of an operation has ended
	matchDenied time.Time                // when a write under If-Match was denied that is allowed without; zero: never
	matchTaken  bool                     // a write under If-Match was not denied
}

// New returns what is known before the first write. Assumed reports whether conditions are honoured
// unless an answer shows otherwise; nil means that they are.
func New(assumed func() bool) *Known {
	return &Known{assumed: assumed, known: map[string]Mode{}, probes: map[string]chan struct{}{}}
}

// Of returns the mode of an operation; Probing to one caller at a time, which must call Learnt,
// while the others wait.
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

// Learnt ends a probe. Unknown means that the probe decided nothing.
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

// matchDenials is how long it is remembered that the role may not send If-Match. Then it is tried
// again: the permission may have been added.
const matchDenials = time.Hour

// IsMatchDenied reports whether the role was denied a write for its If-Match lately.
func (c *Known) IsMatchDenied() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return !c.matchDenied.IsZero() && time.Since(c.matchDenied) < matchDenials
}

// Matched notes whether the role may send If-Match.
func (c *Known) Matched(may bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.matchTaken = may; !may {
		c.matchDenied = time.Now()
	}
}

// MayBeForMatch reports whether a write under If-Match may have been denied because of it: it takes
// s3:GetObject beside s3:PutObject (Amazon S3 User Guide, "How to prevent object overwrites with
// conditional writes"). A denial that names something else is not for it.
func (c *Known) MayBeForMatch(denial error, bucket string) bool {
	action, resource := awserr.Refused(denial)
	c.mu.Lock()
	defer c.mu.Unlock()
	return !c.matchTaken && (action == "" || action == "s3:GetObject" && strings.Contains(resource, ":::"+bucket+"/"))
}
