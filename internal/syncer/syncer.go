// Package syncer runs passes. A pass traverses one mapping: it lists the source, plans an action
// for each object, copies what must be copied, and records the results in the ledger and in the
// metrics.
//
// It guarantees that a pass either gives every listed object exactly one outcome (copied,
// unchanged, adopted, skipped with a reason or quarantined with a reason) or returns an error. Only
// a pass that reached the end commits a generation of the ledger, and an interrupted pass keeps its
// progress. The failure of one object never stops a pass. Invalid credentials, a missing bucket or
// a ledger that cannot be written stop the pass at once. A policy or KMS key that refuses
// everything stops the pass after a few objects in other key ranges were refused too.
//
// Package planner decides what to do with each object, the lower-level packages carry it out, and
// the daemon decides when a pass starts.
//
// Two terms: to drain means to take no new work, finish the work in progress and save; a summary is
// the result of one pass.
package syncer

import (
	"context"
	"errors"
	"sync"
	"time"

	"syncd/internal/awserr"
	"syncd/internal/checkpoint/history"
	"syncd/internal/checkpoint/record"
	"syncd/internal/checkpoint/store"
	"syncd/internal/figure"
	"syncd/internal/syncer/planner"
	"syncd/internal/syncer/preview"
)

// Syncer runs the passes of one mapping, one at a time. It holds the mapping's lease from its first
// pass until Close.
type Syncer struct {
	shared  *shared
	running chan struct{} // a semaphore: full while a pass is in progress

	mu      sync.Mutex
	current *tally // the pass in progress, nil between passes
}

// New returns a Syncer.
func New(o Options) *Syncer {
	s := &Syncer{shared: newShared(o), running: make(chan struct{}, 1)}
	o.Figure.AskRanges(s.ranges)
	return s
}

// Run runs one pass: it resumes an interrupted pass or starts a new one. When ctx ends, the pass
// drains and the error is ErrDrained. The summary is valid even when the error is not nil. If
// another pass is in progress, Run waits until that pass has ended.
func (s *Syncer) Run(ctx context.Context) (Summary, error) { return s.Do(ctx, Order{}) }

// Replay retries objects in quarantine, whether they are due or not. It does not list the source;
// it looks up each object separately. The summary counts the objects that were retried. While an
// interrupted pass is unfinished, the error is ErrUnfinished, because a replay would discard the
// progress of that pass. A replay that selects no objects takes the lease but writes nothing else,
// and its summary has no pass number. Replay can call choose more than once for the same object.
func (s *Syncer) Replay(ctx context.Context, choose planner.Selector) (Summary, error) {
	return s.Do(ctx, Order{Replay: choose})
}

// Do runs the pass described by order. See Run. If the pass fails because a record of the ledger is
// damaged, Do tries it once more, from the newest generation of which every chunk is intact. Each
// try is recorded in the history, and the summary is of the last try.
func (s *Syncer) Do(ctx context.Context, order Order) (Summary, error) {
	defer s.alone()()
	if err := s.finish(ctx, order); err != nil {
		return Summary{Mapping: s.shared.o.Mapping}, err
	}
	summary, err := s.try(ctx, order)
	if isDamage(err) && ctx.Err() == nil {
		s.shared.o.Logger.Warn("ledger is damaged, trying the pass again from the newest intact generation", "err", err)
		summary, err = s.try(ctx, order)
	}
	return summary, err
}

// finish finishes the pass that was interrupted, if the order is a pass that must begin at the first key.
func (s *Syncer) finish(ctx context.Context, order Order) error {
	if order.Verify == nil {
		return nil
	}
	progress, ok, err := record.Unfinished(ctx, s.shared.o.Store, s.shared.o.Mapping)
	if err != nil || !ok || len(progress.Settled) == 0 {
		return err
	}
	order.Verify = nil
	_, err = s.try(ctx, order)
	return err
}

func (s *Syncer) previews() preview.Options {
	return preview.Options{
		Plans: s.shared.plans, Copier: s.shared.o.Copier, Terms: s.shared.o.Terms, Ledger: s.shared.o.Ledger, ActionsPerClaim: claimAhead,
		Deletes: s.shared.o.Delete.Limits(0), Now: s.shared.o.Now,
	}
}

// isDamage reports whether a pass failed because a record of the ledger is damaged.
func isDamage(err error) bool {
	_, ok := errors.AsType[*store.CorruptError](err)
	return ok && !errors.Is(err, ErrDrained)
}

// try runs the pass described by order once.
func (s *Syncer) try(ctx context.Context, order Order) (Summary, error) {
	if order.Verify != nil {
		order.Verify.Reset()
	}
	a := newAttempt(s.shared, order)
	s.show(a.tally)
	defer s.show(nil)
	err := guarded(func() error { return a.run(ctx) })
	logPanic(a.log, err)
	outcome := OutcomeOf(a.tally.summary(), err)
	a.enter(ctx, outcome, err)
	if err != nil && !errors.Is(err, ErrDrained) {
		// The state in memory may differ from the stored ledger: make the next pass read it again.
		if isDamage(err) {
			s.shared.lease.damaged()
		}
		err = errors.Join(err, s.shared.lease.close())
	}
	return a.end(outcome, err), err
}

// Preview plans the next pass without carrying it out. It calls the func each for every object, one
// at a time and in the given order. It lists the source and, if the pass would, the destination. It reads the ledger
// without the lease, so it works while another process holds the lease. Memory use does not grow
// with the number of objects.
func (s *Syncer) Preview(ctx context.Context, order planner.Order, each func(preview.Fate) error) (preview.Pass, error) {
	var callerErr error
	v, err := preview.Make(ctx, s.previews(), order, func(f preview.Fate) error {
		callerErr = each(f)
		return callerErr
	})
	if err != nil && callerErr == nil {
		err = firstCause(ctx, err)
	}
	if err != nil {
		v.Error = err.Error()
	}
	return v, err
}

// Hold takes the mapping's lease and keeps it until Close. If a pass is in progress, Hold waits
// until the pass has ended.
func (s *Syncer) Hold(ctx context.Context) error {
	defer s.alone()()
	ledger, err := s.shared.lease.open(ctx)
	if err == nil {
		s.shared.history.Read(ctx, ledger)
	}
	return err
}

// Holds reports whether this process holds the lease, as far as it knows without sending a request.
func (s *Syncer) Holds() bool { return s.shared.lease.isHeld() }

// Recall reads the history and the last generation of the ledger, and sets the mapping's figure
// from them. It does not need the lease, so it also works for a mapping whose passes cannot start,
// or run in another process. The data is only displayed, so Recall logs read errors and does not
// return them.
func (s *Syncer) Recall(ctx context.Context) {
	s.shared.last.Recall(ctx)
	s.shared.history.Recall(ctx)
}

// History returns the most recent passes, oldest first. It is empty until Hold or Recall was
// called, or a pass was recorded.
func (s *Syncer) History() []history.Pass { return s.shared.history.All() }

// EnterFailure records in the history that a pass failed before it started, for example because
// credentials were missing. If this process does not hold the lease, EnterFailure takes it. A
// *store.LeaseHeldError means that another process holds the lease and records its own passes. If
// the last recorded pass failed in the same way, the failure is not recorded again, so a failure
// that is retried for days adds one record.
func (s *Syncer) EnterFailure(ctx context.Context, order Order, began, ended time.Time, failure error) error {
	defer s.alone()()
	record := history.Pass{
		BeganAt: began, EndedAt: ended, Result: OutcomeOf(Summary{}, failure).Result, Trigger: order.trigger(), Request: order.Request, By: order.By,
		Class: string(awserr.Classify(failure)), Error: failure.Error(),
	}
	if last, _, _ := history.Failures(s.History()); record.FailsLike(last) {
		return nil
	}
	return s.shared.history.EnterAlone(ctx, s.shared.lease.ledger, s.shared.o.Ledger, record)
}

// Progress returns the progress of the current pass; ok is false between passes.
func (s *Syncer) Progress() (progress Progress, ok bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.current == nil {
		return Progress{}, false
	}
	return s.current.progress(), true
}

// ranges returns how many ranges the current pass is walking, and the oldest of them.
func (s *Syncer) ranges() (walked int64, oldest figure.Range) {
	p, _ := s.Progress()
	if p.Ranges == 0 {
		return 0, figure.Range{}
	}
	return int64(p.Ranges), figure.Range{Seconds: max(0, s.shared.o.Now().Sub(p.OldestRange).Seconds()), After: p.OldestAfter}
}

// Close releases the mapping's lease. If a pass is in progress, Close waits until the pass has
// ended.
func (s *Syncer) Close() error {
	defer s.alone()()
	return s.shared.lease.close()
}

// alone waits until the pass in progress, if there is one, has ended. Other callers of alone then
// wait until end is called. It takes no context: a drain ends the contexts of all passes, so the
// wait is short.
func (s *Syncer) alone() (end func()) {
	s.running <- struct{}{}
	return func() { <-s.running }
}

func (s *Syncer) show(t *tally) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.current = t
}
