package assembly

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"

	"syncd/config"
	"syncd/internal/awserr"
	"syncd/internal/checkpoint"
	"syncd/internal/checkpoint/store"
	"syncd/internal/copier/request"
	"syncd/internal/daemon"
	"syncd/internal/deadline"
	"syncd/internal/syncer"
	"syncd/internal/transfer"
)

const (
	// reachTimeout limits how long a bucket may take to respond, and how long reading a lease may
	// take.
	reachTimeout = time.Minute
	// tryLease is how often to try to acquire a lease that another process holds. Between two tries
	// the lease is only read.
	tryLease = 10 * time.Second
)

// Runner runs the passes of a mapping in the daemon. Ready checks before each pass that the pass
// will not have to wait for its lease, its sessions or its buckets.
type Runner struct {
	*syncer.Syncer
	mapping  string
	sessions sessions
	store    store.Store
	now      func() time.Time

	source, destination *s3.Client
	from, to            transfer.Place

	hasRun bool
	last   error     // error of the last pass
	asked  time.Time // when the last pass began, or when Hold last tried to acquire the lease
}

var _ daemon.Worker = (*Runner)(nil)

// Runner returns the Runner of a mapping.
func (s *Shared) Runner(m *Mapping) *Runner {
	return &Runner{
		Syncer: m.Syncer, mapping: m.Name, source: m.source, destination: m.destination, from: m.from, to: m.to, store: s.Store, now: s.Process.Now,
		sessions: sessions{
			pace: &s.sts, now: s.Process.Now, calls: m.sessions,
			sides: map[string]aws.CredentialsProvider{"source": m.source.Options().Credentials, "destination": m.destination.Options().Credentials},
		},
	}
}

// sessionsOf returns how many roles are assumed for a mapping, including chained roles.
func sessionsOf(c *config.Config, m config.Mapping) int {
	roles := slices.Concat(c.Chain(m.Source.Role), c.Chain(m.Destination.Role))
	slices.Sort(roles)
	return len(slices.Compact(roles))
}

// Ready returns nil when the next pass has what it needs: a lease that no other process seems to
// hold, sessions for both sides and, before the first pass or after an error, buckets that respond.
func (r *Runner) Ready(ctx context.Context) error {
	if err := r.leaseFree(ctx); err != nil {
		return err
	}
	err := r.sessions.get(ctx)
	if err == nil {
		err = r.reach(ctx)
	}
	return err
}

// Run runs a pass over the source.
func (r *Runner) Run(ctx context.Context) (syncer.Summary, error) { return r.Do(ctx, syncer.Order{}) }

// Do runs the pass described by order.
func (r *Runner) Do(ctx context.Context, order syncer.Order) (syncer.Summary, error) {
	r.asked = r.now()
	summary, err := r.Syncer.Do(ctx, order)
	r.hasRun, r.last = true, err
	return summary, err
}

// Hold acquires the lease.
func (r *Runner) Hold(ctx context.Context) error {
	asked := r.now()
	err := r.Syncer.Hold(ctx)
	if store.IsLeaseHeld(err) {
		r.asked, r.last, r.hasRun = asked, err, true
	}
	return err
}

// leaseFree returns an error if another process seems to hold the lease, so that a pass starts only
// if it is likely to acquire the lease. It reads the lease only if another process held it at the
// last attempt. Leases expire by the store's clock, so only an attempt to acquire the lease shows
// whether it is free. So leaseFree returns nil once every tryLease, which lets a pass make an
// attempt.
func (r *Runner) leaseFree(ctx context.Context) error {
	if !store.IsLeaseHeld(r.last) || r.now().Sub(r.asked) >= tryLease {
		return nil
	}
	var lease store.LeaseInfo
	var held bool
	err := deadline.Do(ctx, reachTimeout, func(ctx context.Context) (err error) {
		lease, held, err = checkpoint.LeaseOf(ctx, r.store, r.mapping)
		return err
	})
	if err != nil {
		return fmt.Errorf("read the lease: %w", err)
	}
	if held && (lease.Until.IsZero() || lease.Until.After(r.now())) {
		return &store.LeaseHeldError{Name: r.mapping, Holder: lease.Holder, Since: lease.Since, Until: lease.Until}
	}
	return nil
}

// reach checks that the buckets respond, with any result. Without this check, a pass would retry
// its requests for minutes while other mappings wait for its slot. Before the first pass reach
// checks only the source. Later it checks both buckets, and only if the last pass was drained or
// failed with a transient error.
func (r *Runner) reach(ctx context.Context) error {
	wasStopped := errors.Is(r.last, syncer.ErrDrained)
	if r.hasRun && !wasStopped && awserr.Classify(r.last) != awserr.Transient {
		return nil
	}
	if err := answers(ctx, r.source, r.from); err != nil || !r.hasRun {
		return within("reach the source", err)
	}
	return within("reach the destination", answers(ctx, r.destination, r.to))
}

// answers returns an error if the service of a place does not respond within reachTimeout. An error
// response counts as a response.
func answers(ctx context.Context, client *s3.Client, at transfer.Place) error {
	in := &s3.ListObjectsV2Input{
		Bucket: &at.Bucket, Prefix: &at.Prefix, MaxKeys: aws.Int32(1), ExpectedBucketOwner: at.ExpectedOwner(), RequestPayer: request.Payer(at),
	}
	err := deadline.Do(ctx, reachTimeout, func(ctx context.Context) error {
		_, err := client.ListObjectsV2(ctx, in)
		return err
	})
	if late, ok := errors.AsType[*awserr.TimeoutError](err); ok {
		return late
	}
	if err != nil && ctx.Err() != nil {
		return ctx.Err()
	}
	return nil
}

// within puts what, the name of an operation, before the text of err. It returns nil if err is nil.
func within(what string, err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("%s: %w", what, err)
}
