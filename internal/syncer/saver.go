package syncer

import (
	"context"
	"errors"
	"slices"
	"time"

	"syncd/internal/checkpoint"
	"syncd/internal/checkpoint/record"
	"syncd/internal/deadline"
	"syncd/internal/syncer/denial"
)

// flushCheck is how often to check whether settled entries should be saved, or saved runs merged.
const flushCheck = 500 * time.Millisecond

// saver makes the progress of a pass durable: it claims keys before they are copied, saves settled
// entries when a save is due, and saves the remaining settled entries if the pass ends early.
type saver struct {
	ledger *checkpoint.Pass
	// patience is how long a save may continue once the pass drains.
	patience time.Duration
	// clock returns the time of the service.
	clock func() time.Time
	// isReplay reports whether the pass is a replay.
	isReplay bool
	// logDue logs the counts of repeated messages when they are due.
	logDue func()
}

// save saves settled entries when a save is due. The walk calls it after each action, so the number
// of unsaved entries is at most the ledger's limit plus the copies in flight. A save in progress
// may continue for patience after ctx has ended, because an incomplete save has no effect.
func (s *saver) save(ctx context.Context) error {
	s.logDue()
	if !s.ledger.Due() {
		return nil
	}
	patient, giveUp := deadline.Outlive(ctx, s.patience)
	defer giveUp()
	return s.ledger.FlushDue(patient)
}

// keepDoing calls do regularly, so that saves continue while the walk waits for a listing page or a
// slow copy. The returned func stops the regular calls, waits for a call in progress, and returns the
// first error.
func keepDoing(do func() error) (wait func() error) {
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
			if err := guarded(do); err != nil {
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

// claim durably claims ranges of keys, before some of them are copied.
func (s *saver) claim(ctx context.Context, keys []record.Range, copies []string) error {
	patient, giveUp := deadline.Outlive(ctx, s.patience)
	defer giveUp()
	since := s.clock()
	// An object from a resumed upload is dated by the start of the upload.
	for _, u := range s.ledger.LeftUploads() {
		if slices.ContainsFunc(keys, func(r record.Range) bool { return r.Contains(u.Key) }) {
			since = record.Earlier(since, u.BeganAt)
		}
	}
	return s.ledger.Claim(patient, keys, copies, since)
}

// claimKey durably claims one key.
func (s *saver) claimKey(ctx context.Context, key string) error {
	patient, giveUp := deadline.Outlive(ctx, s.patience)
	defer giveUp()
	return s.ledger.ClaimKey(patient, key, s.clock())
}

// abandon saves the settled entries of a pass that ended early because of cause, and returns the
// error of the pass. It does not stop when ctx ends, because the end of ctx may be the cause.
func (s *saver) abandon(ctx context.Context, cause error) error {
	if _, ok := errors.AsType[*PanicError](cause); ok {
		return cause // the state in memory may be inconsistent; the saved state is complete
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
		return err // a drain that cannot save has failed; any other err here contains cause
	default:
		return errors.Join(cause, err)
	}
}
