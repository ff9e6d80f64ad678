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

// walkAgain limits for how long passes end early because a few sampled objects are still refused.
// After that time, the next pass walks all objects.
const walkAgain = 24 * time.Hour

// Detector watches the copies of one pass. It is safe for concurrent use.
type Detector struct {
	streak
	prober
	o       Options
	search  searcher
	examine examiner
}

// New returns a Detector for one pass.
func New(o Options) *Detector {
	d := &Detector{o: o}
	d.prober.o = &d.o
	d.search, d.examine = searcher{&d.o, &d.prober}, examiner{&d.o}
	return d
}

// Refused must be called for each object that was refused. It holds the object: the object is
// neither settled nor quarantined. When enough objects in a row were refused, Refused decides
// whether everything is refused. If so, the error is an *Error and the held objects stay unsettled.
// Otherwise it returns the objects that are no longer held.
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

// judge is called after many objects in a row were refused. It decides whether everything is
// refused. It returns nil if only a range of keys is refused, because later keys can still be
// copied. First, judge copies objects in other key ranges; the pass would copy these objects later
// in any case. If all these objects are refused, judge tries objects that were copied before.
func (d *Detector) judge(ctx context.Context, a plan.Action, cause error) (*Error, error) {
	inTurn, witness := d.turn()
	starts, err := listing.Beyond(d.o.Ledger.Frontier(), len(d.o.SourcePrefix), d.search.firstAfter(ctx))
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
			// The object can be read, but copying its parts was not tried. Therefore the source
			// does not refuse everything, but the destination still may.
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
		return nil, nil // no other objects need a copy, so continuing costs little
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

// Retry retries some of the refused objects that made an earlier pass end early. It runs before
// anything is listed. The error is an *Error if the retried objects are still refused. Once a day
// (walkAgain) Retry returns nil without retrying, because other objects may be allowed.
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
			return fmt.Errorf("retry refused objects: %w", err)
		case tried.isAllowed():
			d.o.Ledger.Allowed()
			return nil
		case tried.isRefused():
			still.Elsewhere, still.Err = still.Elsewhere+1, tried.err
		}
	}
	if still.Err == nil {
		d.o.Ledger.Allowed() // none of these objects still needs a copy
		return nil
	}
	return still
}
