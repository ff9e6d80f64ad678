package copier

import (
	"context"
	"strings"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"

	"syncd/internal/awserr"
	"syncd/internal/copier/request"
)

// condition is what has to hold at the destination's key for a write to happen ("Conditional
// requests", Amazon S3 User Guide): the zero condition holds always.
type condition struct {
	match string // ETag of what is there
	none  bool   // nothing is there
}

// ifMatch and ifNoneMatch are the headers of the condition.
func (c condition) ifMatch() *string { return request.Optional(c.match) }

func (c condition) ifNoneMatch() *string {
	if c.none {
		return aws.String("*")
	}
	return nil
}

// never is a condition that cannot hold.
func never() condition { return condition{match: `"syncd-never"`} }

// mode says how a service treats the conditions of one kind of write.
type mode int

const (
	unknown  mode = iota
	probing       // the caller finds out, with a write that cannot happen if conditions are honoured
	honoured      // a write whose condition does not hold is refused
	ignored       // it is not, or no condition is taken
)

// conditions knows how the destination treats conditions, by operation, and whether the role may
// send them.
type conditions struct {
	assumed func() bool // whether conditions are honoured unless an answer says otherwise

	mu          sync.Mutex
	known       map[string]mode
	probes      map[string]chan struct{} // closed when the probe of an operation has ended
	matchDenied time.Time                // when a write under If-Match was denied that is allowed without; zero: never
	matchTaken  bool                     // a write under If-Match was not denied
}

func newConditions(assumed func() bool) *conditions {
	return &conditions{assumed: assumed, known: map[string]mode{}, probes: map[string]chan struct{}{}}
}

// of returns the mode of an operation; probing to one caller at a time, who has to call learnt,
// while the others wait.
func (c *conditions) of(ctx context.Context, operation string) (mode, error) {
	for {
		c.mu.Lock()
		now, probe := c.known[operation], c.probes[operation]
		switch {
		case now != unknown:
		case c.assumed == nil || c.assumed():
			now = honoured
		case probe == nil:
			c.probes[operation] = make(chan struct{})
			now = probing
		}
		c.mu.Unlock()
		if now != unknown {
			return now, nil
		}
		select {
		case <-probe:
		case <-ctx.Done():
			return unknown, ctx.Err()
		}
	}
}

// isSure reports whether writes of the operation are protected by their conditions.
func (c *conditions) isSure(operation string) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	now := c.known[operation]
	return now == honoured || now == unknown && (c.assumed == nil || c.assumed())
}

// learnt ends a probe; unknown says that it told nothing.
func (c *conditions) learnt(operation string, now mode) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if now != unknown {
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

func (c *conditions) isMatchDenied() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return !c.matchDenied.IsZero() && time.Since(c.matchDenied) < matchDenials
}

// matched notes whether the role may send If-Match.
func (c *conditions) matched(may bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.matchTaken = may; !may {
		c.matchDenied = time.Now()
	}
}

// mayBeForMatch reports whether a write under If-Match may have been denied because of it: it takes
// s3:GetObject beside s3:PutObject (Amazon S3 User Guide, "How to prevent object overwrites with
// conditional writes"). A denial that names something else is not for it.
func (c *conditions) mayBeForMatch(denial error, bucket string) bool {
	action, resource := awserr.Refused(denial)
	c.mu.Lock()
	defer c.mu.Unlock()
	return !c.matchTaken && (action == "" || action == "s3:GetObject" && strings.Contains(resource, ":::"+bucket+"/"))
}
