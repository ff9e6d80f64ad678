package syncer

import (
	"context"
	"errors"
	"time"

	"syncd/internal/checkpoint"
	"syncd/internal/syncer/denial"
	"syncd/internal/syncer/planner"
)

// flushCheck is how often to check whether settled entries should be saved.
const flushCheck = 500 * time.Millisecond

// saver makes durable what a pass does: its claims before it copies, what is settled when that is
// due, and the rest when it ends early.
type saver struct {
	ledger *checkpoint.Pass
	// patience is how long a save may go on once the pass drains.
	patience time.Duration
	// clock is the service's.
	clock func() time.Time
	// isReplay says that the pass is not over the whole source.
	isReplay bool
	// logDue logs what is counted for the log, when it is time.
	logDue func()
}

// save saves what is settled when it is due. The walk asks after each action, so that no more than
// the ledger's limit and the copies in flight are ever unsaved. A save that has begun is not cut
// short: half a save is a failed one.
func (s *saver) save(ctx context.Context) error {
	s.logDue()
	if !s.ledger.Due() {
		return nil
	}
	patient, giveUp := outlive(ctx, s.patience)
	defer giveUp()
	return s.ledger.FlushDue(patient)
}

// keepSaving saves when it is due also while the walk waits for a page or for a slow copy, until
// the returned func is called; that waits and returns the first error.
func keepSaving(save func() error) (wait func() error) {
	stop, ended := make(chan struct{}), make(chan error, 1)
	go func() {
		tick := time.NewTicker(flushCheck)
		defer tick.Stop()
		for {
			select {
			case <-stop:
				ended <- nil
				return
			case <-tick.C:
			}
			if err := guarded(save); err != nil {
				ended <- err
				return
			}
		}
	}()
	return func() error {
		close(stop)
		return <-ended
	}
}

// claim makes the keys up to until claimed, before they are copied.
func (s *saver) claim(ctx context.Context, until string) error {
	patient, giveUp := outlive(ctx, s.patience)
	defer giveUp()
	since := s.clock()
	// What an upload becomes that is resumed is dated by its beginning.
	for _, u := range s.ledger.LeftUploads() {
		if until == "" || u.Key <= until {
			since = planner.Earlier(since, u.BeganAt)
		}
	}
	return s.ledger.Claim(patient, until, since)
}

// claimKey makes a claim on one key durable.
func (s *saver) claimKey(ctx context.Context, key string) error {
	patient, giveUp := outlive(ctx, s.patience)
	defer giveUp()
	return s.ledger.ClaimKey(patient, key, s.clock())
}

// abandon keeps what is settled of a pass that does not reach its end, and returns why it does not.
// It outlives ctx, which may be why.
func (s *saver) abandon(ctx context.Context, cause error) error {
	if _, ok := errors.AsType[*PanicError](cause); ok {
		return cause // what is in memory may be half done; what was saved before is whole
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), s.patience)
	defer cancel()
	var err error
	if refused, ok := errors.AsType[*denial.Error](cause); ok && refused.Record != nil && !s.isReplay {
		err = s.ledger.Refuse(ctx, *refused.Record)
	}
	err = errors.Join(err, s.ledger.Abandon(ctx))
	switch {
	case err == nil:
		return cause
	case errors.Is(cause, ErrDrained), errors.Is(err, cause):
		return err // a drain that could not save has failed; and a ledger that failed says so again
	default:
		return errors.Join(cause, err)
	}
}
