package denial

import (
	"context"
	"fmt"
	"sync"
	"time"

	"syncd/internal/checkpoint/record"
	"syncd/internal/copier"
	"syncd/internal/listing"
	"syncd/internal/plan"
)

// walkAgain is after how long a pass is walked although the objects that an earlier one ended for
// are still refused.
const walkAgain = 24 * time.Hour

// Detector watches the copies of one pass. It is safe for concurrent use.
type Detector struct {
	streak
	prober
	o       Options
	search  searcher
	examine examiner
}

// New returns the Detector of a pass.
func New(o Options) *Detector {
	d := &Detector{o: o}
	d.prober.o = &d.o
	d.search, d.examine = searcher{&d.o, &d.prober}, examiner{&d.o}
	return d
}

// Refused holds an object that was refused. The one with which it becomes likely that all is
// refused decides whether that is so: then the error is an *Error, and nothing of what is held is
// settled. Otherwise it returns what is no longer held.
func (d *Detector) Refused(ctx context.Context, a plan.Action, object Held, cause error) ([]Held, error) {
	if !d.add(object.Slot, object.Row) {
		return nil, nil
	}
	refusal, err := d.judge(ctx, a, cause)
	all, held := d.judged(refusal != nil && err == nil)
	if all {
		return held, refusal
	}
	return held, err
}

// judge decides what it means that so many objects were refused in turn: nil says that it is a
// stretch of the keys, which stops nothing that comes after it. It tries objects elsewhere, by
// copying them, which is what a pass does anyway; and where all are refused, it asks again for what
// was copied before.
func (d *Detector) judge(ctx context.Context, a plan.Action, cause error) (*Error, error) {
	inTurn, last, witness := d.turn()
	starts, err := listing.Beyond(last, len(d.o.SourcePrefix), d.search.firstAfter(ctx))
	if err != nil {
		return nil, err
	}
	side := sync.OnceValues(func() (string, error) { return d.examine.sideThatRefuses(ctx, a.Object.Key) })
	after := []string{a.ListedAfter}
	for _, start := range spaced(starts, samplesFor(cause)) {
		tried, err := d.search.tryAfter(ctx, start.After, copier.Reason(cause))
		switch {
		case err != nil:
			return nil, err
		case tried.isBegun:
			// More is asked for once there are parts: an object that is only begun shows nothing of
			// that.
			if at, err := side(); err != nil || at == sideSource {
				return nil, err
			}
			after = append(after, start.After)
		case tried.isAllowed():
			return nil, nil
		case tried.isRefused():
			after = append(after, start.After)
		}
	}
	if len(after) == 1 {
		return nil, nil // nothing else is to be copied, so that continuing costs little
	}
	at, err := side()
	if err != nil {
		return nil, err
	}
	if isStretch, err := d.examine.isStretch(ctx, at, cause, witness); err != nil || isStretch {
		return nil, err
	}
	refused := &Error{InTurn: inTurn, Elsewhere: len(after) - 1, Side: at, Err: cause}
	if isPassing(copier.Reason(cause)) {
		return refused, nil
	}
	now := d.o.Now()
	record := &record.Refusal{Reason: copier.Reason(cause), Since: now, WalkedAt: now, After: spaced(after, tryAgain)}
	if former, ok := d.o.Ledger.Refusal(); ok {
		record.Since = former.Since
	}
	refused.Record, record.Detail = record, refused.Error()
	return refused, nil
}

// Retry tries again what an earlier pass ended for, before anything is listed. The error is an
// *Error while it is refused. Once a day the pass is walked whatever these few objects say: others
// may be there that are not refused.
func (d *Detector) Retry(ctx context.Context) error {
	former, ok := d.o.Ledger.Refusal()
	if !ok || d.o.Now().Sub(former.WalkedAt) >= walkAgain || former.WalkedAt.After(d.o.Now()) {
		return nil
	}
	if err := d.o.Turns.Acquire(ctx); err != nil {
		return err
	}
	held, release := d.o.Turns.Hold(ctx)
	defer release()
	still := &Error{Since: former.Since}
	for _, after := range former.After {
		tried, err := d.search.tryAfter(held, after, former.Reason)
		switch {
		case err != nil:
			return fmt.Errorf("try again what was refused: %w", err)
		case tried.isAllowed():
			d.o.Ledger.Allowed()
			return nil
		case tried.isRefused():
			still.Elsewhere, still.Err = still.Elsewhere+1, tried.err
		}
	}
	if still.Err == nil {
		d.o.Ledger.Allowed() // none is to be copied any more
		return nil
	}
	return still
}
