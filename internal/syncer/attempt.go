package syncer

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"syncd/internal/awserr"
	"syncd/internal/checkpoint"
	"syncd/internal/checkpoint/history"
	"syncd/internal/checkpoint/record"
	"syncd/internal/checkpoint/store"
	"syncd/internal/deadline"
	"syncd/internal/plan"
	"syncd/internal/syncer/denial"
	"syncd/internal/syncer/planner"
	"syncd/internal/throttle"
)

// attempt is one attempt to run a pass. It begins by taking the lease and ends by committing a
// generation or by saving the settled entries.
type attempt struct {
	shared *shared
	order  Order
	log    *slog.Logger // its lines have the pass number once the number is known
	tally  *tally
	before throttle.Counts
	start  time.Time // start time by Options.Now
	began  time.Time // start by the local clock; Copier.There converts it to the service's clock
	// hasLost means that an earlier pass may have started uploads whose IDs were lost.
	hasLost bool
	planner *planner.Planner
}

func newAttempt(s *shared, order Order) *attempt {
	return &attempt{
		shared: s, order: order, log: s.o.Logger, tally: newTally(s.o.Mapping, s.o.Now), before: s.o.Meter.Counts(),
		start: s.o.Now(), began: time.Now(), hasLost: s.o.Copier.LostUploads(),
	}
}

func (a *attempt) isReplay() bool { return a.order.Replay != nil }

// run walks the pass to its end and commits it. On failure it saves the settled entries and returns
// the error.
func (a *attempt) run(ctx context.Context) error {
	ledger, err := a.shared.lease.open(ctx)
	if err != nil {
		return firstCause(ctx, err)
	}
	hasWork, err := a.expect(ctx, ledger)
	if err != nil {
		return firstCause(ctx, err)
	}
	if !hasWork {
		return nil // and commit no generation
	}
	p, err := a.begin(ctx, ledger)
	if err != nil {
		return firstCause(ctx, err)
	}
	if err := p.refusals.Retry(ctx); err != nil {
		return p.saver.abandon(ctx, firstCause(ctx, err))
	}
	err = p.walk(ctx)
	p.end(err)
	if err == nil {
		err = a.tally.summary().check()
	}
	if err == nil {
		err = firstCause(ctx, a.delete(ctx, ledger, p))
	}
	if err != nil {
		return p.saver.abandon(ctx, err)
	}
	return a.commit(ctx, ledger, p)
}

// expect records the ledger's generation and number of objects before the pass. It reports whether
// there is work to do: a replay has none if no objects match its selector.
func (a *attempt) expect(ctx context.Context, ledger *checkpoint.Ledger) (hasWork bool, err error) {
	if a.isReplay() {
		a.tally.opened(ledger.Generation(), 0)
		return hasReplay(ctx, a.shared.plans.Mapping, ledger, a.order.Replay)
	}
	a.tally.opened(ledger.Generation(), ledger.Entries())
	a.shared.backlog.Begin()
	return true, nil
}

// begin starts a pass with the current settings, or resumes an interrupted pass.
func (a *attempt) begin(ctx context.Context, ledger *checkpoint.Ledger) (p *pass, err error) {
	request := planner.Request{Replay: a.order.Replay, Rekey: a.order.Rekey, IsFirst: ledger.Entries() == 0, Start: a.start}
	if a.order.Verify != nil {
		request.Verify, request.RetryAll = a.order.Verify.Verification(), true
	}
	a.planner = planner.New(a.shared.plans, request)
	ledger.SetSettings(func(last record.Settings, pass int64) (now record.Settings) {
		now, err = a.planner.Follow(last, pass)
		return now
	})
	if err != nil {
		return nil, err
	}
	if err := a.planner.Check(ctx); err != nil {
		return nil, err
	}
	inLedger, err := ledger.Begin(ctx)
	if err != nil {
		return nil, err
	}
	log := a.log.With("pass", inLedger.Number())
	if err := a.planner.Begin(inLedger, ledger.Manifest().Pass+1, a.shared.o.Now(), log); err != nil {
		return nil, err
	}
	a.log = log
	a.tally.began(inLedger)
	return a.assemble(inLedger), nil
}

// assemble builds the pass from its parts.
func (a *attempt) assemble(ledger *checkpoint.Pass) *pass {
	s := a.shared
	record := &recorder{
		count: s.count, tally: a.tally, backlog: s.backlog, quoter: s.quoter, now: s.o.Now, log: a.log,
		logger: s.o.Logger, warnedUnconditional: s.warnedUnconditional,
	}
	save := &saver{ledger: ledger, patience: s.o.saveTime(), clock: s.o.Copier.Clock, isReplay: a.isReplay(), logDue: record.logDue}
	refusals := denial.New(denial.Options{
		Source: s.o.Source, SourcePrefix: s.o.Settings.Source.Prefix, Copier: s.o.Copier, Turns: s.o.Turns, Ledger: ledger,
		After: func(ctx context.Context, after string) plan.Actions { return a.planner.After(ctx, ledger, after) },
		Claim: save.claimKey, IsReplay: a.isReplay(), Now: s.o.Now,
	})
	planned := &planned{
		planner: a.planner, ledger: ledger, tally: a.tally, found: a.order.Verify, backlog: s.backlog, count: s.count, figure: s.o.Figure, now: s.o.Now, isReplay: a.isReplay(),
	}
	return &pass{
		planned: planned, ledger: ledger, claims: &claims{save: save.claim}, refusals: refusals, turns: s.o.Turns, saver: save,
		worker:   &worker{prover: s.o.Copier, refusals: refusals, record: record, found: a.order.Verify, now: s.o.Now},
		patience: s.o.DrainTimeout - s.o.saveTime(), window: s.o.holdFor(),
	}
}

// commit commits the pass as the next generation of the ledger. If a drain starts meanwhile, the
// commit may take up to DrainTimeout.
func (a *attempt) commit(ctx context.Context, ledger *checkpoint.Ledger, p *pass) error {
	s := a.shared
	patient, giveUp := deadline.Outlive(ctx, s.o.DrainTimeout)
	defer giveUp()
	if err := s.uploads.abort(patient, p.ledger, a.log); err != nil {
		return firstCause(ctx, err)
	}
	if !a.isReplay() {
		p.ledger.ReplaceClaims(a.planner.Left)
	}
	generation, err := p.ledger.Commit(patient)
	if err != nil {
		return firstCause(ctx, err)
	}
	// Look for stray uploads only if this pass copied an object in parts, or if an earlier pass of
	// this process may have left stray uploads. A pass that resumes after a crash during a
	// multipart upload copies that object in parts again, so it also looks for stray uploads. A
	// mapping without large objects never needs the permission to list uploads.
	if p.worker.record.usedParts.Load() || a.hasLost {
		s.uploads.sweep(patient, p.ledger, a.began, a.log)
	}
	a.tally.committed(generation)
	s.o.Figure.SetLedger(generation, ledger.Entries())
	if !a.isReplay() {
		s.backlog.End()
	}
	s.last.SetAside(patient, ledger.Manifest())
	return nil
}

// enter adds the pass to the history.
func (a *attempt) enter(ctx context.Context, outcome Outcome, failure error) {
	s, ledger := a.tally.summary(), a.shared.lease.ledger
	if ledger == nil || store.IsLeaseHeld(failure) || failure == nil && s.Pass == 0 {
		return // no pass began
	}
	record := history.Pass{
		Pass: s.Pass, BeganAt: a.start, EndedAt: a.shared.o.Now(), Result: outcome.Result, Trigger: a.order.trigger(), Request: a.order.Request, By: a.order.By,
		Listed: s.Listed, Copied: s.Copied, CopiedBytes: s.CopiedBytes, Quarantined: s.SetAside(),
	}
	if failure != nil && !errors.Is(failure, ErrDrained) {
		record.Class, record.Error = string(awserr.Classify(failure)), failure.Error()
	}
	a.shared.history.Enter(ctx, ledger, record, a.shared.o.saveTime(), a.log)
}

// end completes the summary, and counts and logs the pass.
func (a *attempt) end(outcome Outcome, err error) Summary {
	s, took := a.tally.summary(), a.shared.o.Now().Sub(a.start)
	requests := a.shared.o.Meter.Counts().Since(a.before)
	s.Requests, s.Throttled, s.Seconds = requests.Requests, requests.Throttled, took.Seconds()
	s.Result, s.Exit = outcome.Result, outcome.Exit
	if err != nil {
		s.Error = err.Error()
	}
	if outcome.Exit == ExitLeaseHeld {
		return s // no pass began, and a standby would log and count each try to take the lease
	}
	count := a.shared.count
	count.passes.WithLabelValues(outcome.Result).Inc()
	count.duration.Observe(took.Seconds())
	if err == nil && !a.isReplay() {
		a.shared.o.Figure.SetLastSuccess(a.shared.o.Now())
	}
	a.log.Info("pass ended", "result", outcome.Result, "generation", s.Generation, "resumed", s.Resumed,
		"listed", s.Listed, "copied", s.Copied, "copied_bytes", s.CopiedBytes, "unchanged", s.Unchanged, "adopted", s.Adopted,
		"skipped", sum(s.Skipped), "quarantined", s.SetAside(), "throttled", s.Throttled, "duration", took)
	return s
}
