package syncer

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"time"

	"syncd/internal/awserr"
	"syncd/internal/checkpoint"
	"syncd/internal/deadline"
)

// Why passes begin, as the history names it.
const (
	TriggerSchedule = "schedule"
	TriggerStart    = "start"    // of the daemon
	TriggerRequest  = "request"  // of a user, to the daemon
	TriggerBackfill = "backfill" // by that command
	TriggerReplay   = checkpoint.TriggerReplay
)

// historyTime bounds how long a pass may take to be entered in the history. It comes on top of the time of a drain.
const historyTime = 2 * time.Second

// Order is what a pass is asked for with. The zero Order is a pass over the whole source, for a backfill.
type Order struct {
	// Replay chooses objects in quarantine for a pass over nothing else; nil for one over the whole source.
	Replay Selector
	// Rekey allows this pass to copy everything again under a new KMS key, as Options.Rekey does for all.
	Rekey bool
	// Trigger is why the pass begins, Request the id of the request that asks for it and By who sent that.
	Trigger, Request, By string
}

func (o Order) trigger() string {
	if o.Replay != nil {
		return cmp.Or(o.Trigger, TriggerReplay)
	}
	return cmp.Or(o.Trigger, TriggerBackfill)
}

// Hold takes the mapping's lease, which is held until Close. It waits for a pass in progress.
func (s *Syncer) Hold(ctx context.Context) error {
	s.running <- struct{}{}
	defer func() { <-s.running }()
	ledger, err := s.openLedger(ctx)
	if err == nil {
		s.readHistory(ctx, ledger)
	}
	return err
}

// readHistory reads which passes ended before. A history that cannot be read is no reason for a pass not to begin.
func (s *Syncer) readHistory(ctx context.Context, ledger *checkpoint.Ledger) {
	ctx, cancel := context.WithTimeout(ctx, historyTime)
	defer cancel()
	past, err := ledger.Past(ctx)
	if err != nil {
		s.o.Logger.Warn("history was not read", "err", err)
		return
	}
	s.remember(past)
}

// remember keeps what the history says.
func (s *Syncer) remember(past []checkpoint.PassRecord) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.past = past
}

// Holds reports whether the lease is held, as far as is known here without asking.
func (s *Syncer) Holds() bool { return s.holds.Load() }

// History returns the passes that ended last, oldest first, once the lease was taken by Hold, the ledger recalled, or a pass entered.
func (s *Syncer) History() []checkpoint.PassRecord {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.past)
}

// enter adds the pass to the history. A history that lacks a line is no reason for a pass to fail.
func (p *pass) enter(ctx context.Context, failure error) {
	s := p.tally.summary()
	if p.Syncer.ledger == nil || checkpoint.IsLeaseHeld(failure) || failure == nil && s.Pass == 0 {
		return // no pass began
	}
	result, _ := verdict(s, failure)
	record := checkpoint.PassRecord{
		Pass: s.Pass, BeganAt: p.start, EndedAt: p.o.Now(), Result: result, Trigger: p.order.trigger(), Request: p.order.Request, By: p.order.By,
		Listed: s.Listed, Copied: s.Copied, CopiedBytes: s.CopiedBytes, Quarantined: s.SetAside(),
	}
	if failure != nil && !errors.Is(failure, ErrDrained) {
		record.Class, record.Error = string(awserr.Classify(failure)), failure.Error()
	}
	var past []checkpoint.PassRecord
	err := deadline.Do(context.WithoutCancel(ctx), min(historyTime, p.saveTime()), func(ctx context.Context) (err error) {
		return guarded(func() (err error) {
			past, err = p.Syncer.ledger.Enter(ctx, record)
			return err
		})
	})
	switch {
	case errors.Is(err, checkpoint.ErrLeaseLost), errors.Is(err, checkpoint.ErrSuperseded):
		return // the next holder's passes are in it
	case err != nil:
		p.log.Warn("pass was not entered in the history", "err", err)
		return
	}
	p.remember(past)
}

// EnterFailure adds a pass to the history that failed before it was begun, as for want of credentials. It takes the lease for that where it
// is not held; a *checkpoint.LeaseHeldError says that another process has it, whose passes say how the mapping fares. What fails like the
// last pass that is known is not entered again, so that a failure which is tried again for days costs one record.
func (s *Syncer) EnterFailure(ctx context.Context, order Order, began, ended time.Time, failure error) (err error) {
	s.running <- struct{}{}
	defer func() { <-s.running }()
	result, _ := verdict(Summary{}, failure)
	record := checkpoint.PassRecord{
		BeganAt: began, EndedAt: ended, Result: result, Trigger: order.trigger(), Request: order.Request, By: order.By,
		Class: string(awserr.Classify(failure)), Error: failure.Error(),
	}
	if last, _, _ := checkpoint.Failures(s.History()); record.FailsLike(last) {
		return nil
	}
	var past []checkpoint.PassRecord
	if s.ledger != nil {
		past, err = s.ledger.Enter(ctx, record)
	} else {
		past, err = checkpoint.EnterAlone(ctx, s.o.Store, s.o.Ledger, record)
	}
	if past != nil {
		s.remember(past)
	}
	return err
}
