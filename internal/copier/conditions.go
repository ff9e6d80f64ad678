package copier

import (
	"context"
	"errors"
	"strings"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"

	"syncd/internal/admit"
	"syncd/internal/awserr"
	"syncd/internal/checkpoint"
)

// condition is what has to hold at the destination's key for a write to happen ("Conditional requests", Amazon S3 User
// Guide): the zero condition holds always.
type condition struct {
	match string // ETag of what is there
	none  bool   // nothing is there
}

// ifMatch and ifNoneMatch are the headers of the condition.
func (c condition) ifMatch() *string { return optional(c.match) }

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
	trying        // the caller finds out, with a write that cannot happen if conditions are honoured
	honoured      // a write whose condition does not hold is refused
	ignored       // it is not, or no condition is taken
)

// conditions knows how the destination treats conditions, by operation, and whether the role may send them.
type conditions struct {
	assumed func() bool // whether conditions are honoured unless an answer says otherwise

	mu          sync.Mutex
	known       map[string]mode
	trials      map[string]chan struct{} // closed when the trial of an operation has ended
	matchDenied time.Time                // when a write under If-Match was denied that is allowed without; zero: never
	matchTaken  bool                     // a write under If-Match was not denied
}

func newConditions(assumed func() bool) *conditions {
	return &conditions{assumed: assumed, known: map[string]mode{}, trials: map[string]chan struct{}{}}
}

// of returns the mode of an operation; trying to one caller at a time, who has to call learnt, while the others wait.
func (c *conditions) of(ctx context.Context, operation string) (mode, error) {
	for {
		c.mu.Lock()
		now, trial := c.known[operation], c.trials[operation]
		switch {
		case now != unknown:
		case c.assumed == nil || c.assumed():
			now = honoured
		case trial == nil:
			c.trials[operation] = make(chan struct{})
			now = trying
		}
		c.mu.Unlock()
		if now != unknown {
			return now, nil
		}
		select {
		case <-trial:
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

// learnt ends a trial; unknown says that it told nothing.
func (c *conditions) learnt(operation string, now mode) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if now != unknown {
		c.known[operation] = now
	}
	if trial := c.trials[operation]; trial != nil {
		delete(c.trials, operation)
		close(trial)
	}
}

// matchDenials is how long it is remembered that the role may not send If-Match. Then it is tried again: the permission may
// have been added.
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

// mayBeForMatch reports whether a write under If-Match may have been denied because of it: it takes s3:GetObject beside
// s3:PutObject (Amazon S3 User Guide, "How to prevent object overwrites with conditional writes"). A denial that names
// something else is not for it.
func (c *conditions) mayBeForMatch(denial error, bucket string) bool {
	action, resource := awserr.Refused(denial)
	c.mu.Lock()
	defer c.mu.Unlock()
	return !c.matchTaken && (action == "" || action == "s3:GetObject" && strings.Contains(resource, ":::"+bucket+"/"))
}

// conditional sends a write of the object under the condition that its standing asks for, as far as the service and the role
// let it be sent.
func (j *job) conditional(ctx context.Context, operation string, send func(context.Context, condition) error) error {
	known := j.c.conditions
	wanted := j.standing.verdict(j.object).condition
	now, err := known.of(ctx, operation)
	switch {
	case err != nil:
		return err
	case now == trying:
		return j.try(ctx, operation, wanted, send)
	case now == ignored || wanted.match != "" && known.isMatchDenied():
		j.unconditional = ConditionsDenied
		if now == ignored {
			j.unconditional = ConditionsIgnored
		}
		return j.send(ctx, condition{}, send)
	}
	err = j.send(ctx, wanted, send)
	class := awserr.Classify(err)
	if wanted.match != "" && (err == nil || class == awserr.Precondition) {
		known.matched(true)
	}
	switch {
	case class == awserr.Denied && wanted.match != "" && known.mayBeForMatch(err, j.c.o.DestinationPlace.Bucket):
		if j.send(ctx, condition{}, send) != nil {
			return err
		}
		known.matched(false)
		j.unconditional = ConditionsDenied
	case class == awserr.Unsupported && !j.standing.looked:
		return errUnguarded
	case class == awserr.Unsupported:
		if j.send(ctx, condition{}, send) != nil {
			return err
		}
		known.learnt(operation, ignored)
		j.unconditional = ConditionsIgnored
	default:
		return err
	}
	return nil
}

// try finds out how conditions are treated: a write under one that cannot hold is refused, and then made under the one that
// is wanted; or it happens, and nobody has looked at the condition.
func (j *job) try(ctx context.Context, operation string, wanted condition, send func(context.Context, condition) error) error {
	known, learnt := j.c.conditions, unknown
	defer func() { known.learnt(operation, learnt) }()
	if known.isMatchDenied() {
		return j.withoutMatch(ctx, wanted, send)
	}
	err := j.send(ctx, never(), send)
	switch awserr.Classify(err) { //nolint:exhaustive // what a condition that does not hold is answered with
	case "":
		learnt, j.unconditional = ignored, ConditionsIgnored
		return nil
	case awserr.Unsupported:
		if err = j.send(ctx, condition{}, send); err == nil {
			learnt, j.unconditional = ignored, ConditionsIgnored
		}
		return err
	case awserr.Denied:
		if !known.mayBeForMatch(err, j.c.o.DestinationPlace.Bucket) || j.withoutMatch(ctx, wanted, send) != nil {
			return err
		}
		known.matched(false)
		return nil
	case awserr.Precondition, awserr.Gone, awserr.Conflict:
	default:
		return err
	}
	// The refusal may have been that of the source's condition. It was not if the same write happens now.
	if err = j.send(ctx, wanted, send); err == nil {
		learnt = honoured
	}
	return err
}

// withoutMatch sends a write for a role that may not send If-Match.
func (j *job) withoutMatch(ctx context.Context, wanted condition, send func(context.Context, condition) error) error {
	if wanted.match != "" {
		wanted = condition{}
		j.unconditional = ConditionsDenied
	}
	return j.send(ctx, wanted, send)
}

// send sends one write, and notes when nobody knows what became of it.
func (j *job) send(ctx context.Context, under condition, send func(context.Context, condition) error) error {
	counting, sent := admit.Count(ctx)
	began := time.Now()
	j.began = began
	err := j.bounded(counting, func(ctx context.Context) error { return send(ctx, under) })
	if err != nil && (sent.Times() > 1 || isUnclear(err)) && sent.Times() > 0 {
		j.standing.mayHaveWritten(began)
	}
	return err
}

// isUnclear reports whether the request may have been carried out although it failed.
func isUnclear(err error) bool {
	switch awserr.Classify(err) { //nolint:exhaustive // the classes of an answer that was lost, or is none
	case awserr.Transient, awserr.Canceled, awserr.Unknown, awserr.Conflict:
		return true
	default:
		return errors.Is(err, context.DeadlineExceeded)
	}
}

// write sends one request that has an effect at the destination, when there is a slot for it.
func (j *job) write(ctx context.Context, send func(context.Context) error) error {
	return j.c.withSlot(ctx, func(ctx context.Context) error { return j.bounded(ctx, send) })
}

// bounded sends what has an effect at the destination while the pass may write there, and no longer.
func (j *job) bounded(ctx context.Context, send func(context.Context) error) error {
	if j.record == nil {
		return send(ctx)
	}
	bound, release, err := j.record.Writing(ctx)
	if err != nil {
		return err
	}
	defer release()
	err = send(bound)
	if cause := context.Cause(bound); err != nil && ctx.Err() == nil && errors.Is(cause, checkpoint.ErrLeaseLost) {
		return errors.Join(cause, err)
	}
	return err
}
