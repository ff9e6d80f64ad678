// Package syncer runs passes: one traversal of one mapping, from the listing through the plan and
// the copier into the ledger, counted on the way.
//
// It promises that a pass settles every object of its listing exactly once (copied, unchanged,
// skipped with a reason or quarantined with a reason) or reports that it did not, that a generation
// of the ledger is committed only by a pass that reached the end, and that an interrupted pass
// keeps what it has done. One object's failure never stops a pass; dead credentials, a missing
// bucket or a ledger that cannot be written stop it at once, and so does a policy or a key that
// refuses everything, once a few objects elsewhere were refused too.
//
// It leaves what each step means to the floors beneath, what is done with an object to its planner,
// and when a pass begins to the daemon.
//
// Two words: to drain is to take no new work, finish what is in hand and save; a summary is what
// became of one pass.
package syncer

import (
	"context"
	"errors"
	"sync"
	"time"

	"syncd/internal/awserr"
	"syncd/internal/checkpoint/history"
	"syncd/internal/checkpoint/store"
	"syncd/internal/syncer/planner"
	"syncd/internal/syncer/preview"
)

// Syncer runs the passes of one mapping, one at a time. It holds the mapping's lease from its first
// pass until Close.
type Syncer struct {
	shared  *shared
	running chan struct{} // holds an element while a pass is in progress: one at a time

	mu      sync.Mutex
	current *tally // of the pass in progress, nil between passes
}

// New returns a Syncer.
func New(o Options) *Syncer {
	return &Syncer{shared: newShared(o), running: make(chan struct{}, 1)}
}

// Run runs one pass: a new one, or the rest of the one that was interrupted. When ctx ends the pass
// drains and the error is ErrDrained. The summary has what was done in any case. While another pass
// is in progress Run waits for its end.
func (s *Syncer) Run(ctx context.Context) (Summary, error) { return s.Do(ctx, Order{}) }

// Replay tries objects in quarantine again, whether they are due or not, in a pass over nothing
// else: the source is not listed, each object is looked up by itself. Its summary counts the
// objects that were tried. While a pass is unfinished the error is ErrUnfinished, because its
// progress would be lost. A replay for which nothing is chosen writes nothing but the lease, and
// its summary has no pass. Choose may be called more than once for an object.
func (s *Syncer) Replay(ctx context.Context, choose planner.Selector) (Summary, error) {
	return s.Do(ctx, Order{Replay: choose})
}

// Do runs what is ordered, as Run does.
func (s *Syncer) Do(ctx context.Context, order Order) (Summary, error) {
	defer s.alone()()
	a := newAttempt(s.shared, order)
	s.show(a.tally)
	defer s.show(nil)
	err := guarded(func() error { return a.run(ctx) })
	logPanic(a.log, err)
	outcome := OutcomeOf(a.tally.summary(), err)
	a.enter(ctx, outcome, err)
	if err != nil && !errors.Is(err, ErrDrained) {
		// What is in memory may not be what is durable: the next pass reads it again.
		if _, isDamage := errors.AsType[*store.CorruptError](err); isDamage {
			s.shared.o.Ledger.Verified.Forget()
		}
		err = errors.Join(err, s.shared.lease.close())
	}
	return a.end(outcome, err), err
}

// Preview plans the next pass and carries nothing out: it lists the source, and the destination
// where the pass would, and reads the ledger without its lease, so that it can be called while
// another process holds that. Each is called with every object in key order. Memory does not grow
// with their number.
func (s *Syncer) Preview(ctx context.Context, each func(preview.Fate) error) (preview.Pass, error) {
	var ofCaller error
	v, err := preview.Make(ctx, preview.Options{
		Plans: s.shared.plans, Copier: s.shared.o.Copier, Terms: s.shared.o.Terms, Ledger: s.shared.o.Ledger, ActionsPerClaim: claimAhead, Now: s.shared.o.Now,
	}, func(f preview.Fate) error {
		ofCaller = each(f)
		return ofCaller
	})
	if err != nil && ofCaller == nil {
		err = firstCause(ctx, err)
	}
	if err != nil {
		v.Error = err.Error()
	}
	return v, err
}

// Hold takes the mapping's lease, which is held until Close. It waits for a pass in progress.
func (s *Syncer) Hold(ctx context.Context) error {
	defer s.alone()()
	ledger, err := s.shared.lease.open(ctx)
	if err == nil {
		s.shared.history.read(ctx, ledger)
	}
	return err
}

// Holds reports whether the lease is held, as far as is known here without asking.
func (s *Syncer) Holds() bool { return s.shared.lease.isHeld() }

// Recall shows in the figure what the last generation of the ledger says, and reads the history,
// without the lease: for a mapping whose passes do not begin, or run elsewhere. They are for people
// to look at, so that what cannot be read is only logged.
func (s *Syncer) Recall(ctx context.Context) {
	s.shared.last.recall(ctx)
	s.shared.history.recall(ctx)
}

// History returns the passes that ended last, oldest first, once the lease was taken by Hold, the
// ledger recalled, or a pass entered.
func (s *Syncer) History() []history.Pass { return s.shared.history.all() }

// EnterFailure adds a pass to the history that failed before it was begun, as for want of
// credentials. It takes the lease for that where it is not held; a *store.LeaseHeldError says that
// another process has it, whose passes say how the mapping fares. What fails like the last pass
// that is known is not entered again, so that a failure which is tried again for days costs one
// record.
func (s *Syncer) EnterFailure(ctx context.Context, order Order, began, ended time.Time, failure error) error {
	defer s.alone()()
	record := history.Pass{
		BeganAt: began, EndedAt: ended, Result: OutcomeOf(Summary{}, failure).Result, Trigger: order.trigger(), Request: order.Request, By: order.By,
		Class: string(awserr.Classify(failure)), Error: failure.Error(),
	}
	if last, _, _ := history.Failures(s.History()); record.FailsLike(last) {
		return nil
	}
	return s.shared.history.enterAlone(ctx, s.shared.lease.ledger, s.shared.o.Ledger, record)
}

// Progress returns where the pass in progress stands; ok is false between passes.
func (s *Syncer) Progress() (progress Progress, ok bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.current == nil {
		return Progress{}, false
	}
	return s.current.progress(), true
}

// Close releases the mapping's lease. It waits for a pass that is in progress.
func (s *Syncer) Close() error {
	defer s.alone()()
	return s.shared.lease.close()
}

// alone waits for the end of another pass, and keeps others waiting until the returned func is
// called. A drain that ends the context of one pass ends that of the other too, so that there is no
// need to wait for it here.
func (s *Syncer) alone() (end func()) {
	s.running <- struct{}{}
	return func() { <-s.running }
}

func (s *Syncer) show(t *tally) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.current = t
}
