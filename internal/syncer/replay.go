package syncer

import (
	"context"
	"errors"
	"fmt"

	"syncd/internal/checkpoint"
	"syncd/internal/checkpoint/record"
)

// Selector chooses objects of the quarantine.
type Selector func(record.Quarantined) bool

// ErrUnfinished says that a pass was interrupted and has to be finished before anything else can be written to the ledger.
var ErrUnfinished = errors.New("a pass is unfinished")

// Replay tries objects in quarantine again, whether they are due or not, in a pass over nothing else: the source is not
// listed, each object is looked up by itself. Its summary counts the objects that were tried. While a pass is unfinished
// the error is ErrUnfinished, because its progress would be lost. A replay for which nothing is chosen writes nothing but the
// lease, and its summary has no pass. Choose may be called more than once for an object.
func (s *Syncer) Replay(ctx context.Context, choose Selector) (Summary, error) {
	return s.Do(ctx, Order{Replay: choose})
}

// beginReplay refuses a replay where it would do harm, and reports whether it has anything to try.
func (p *pass) beginReplay(ctx context.Context, ledger *checkpoint.Ledger) (hasWork bool, err error) {
	p.tally.opened(ledger.Generation(), 0)
	if ledger.Manifest().Quarantined == 0 {
		return false, nil
	}
	progress, ok, err := record.Unfinished(ctx, p.o.Store, p.o.Mapping)
	if err != nil {
		return false, fmt.Errorf("look for an unfinished pass: %w", err)
	}
	if ok && !replayed(progress.Fingerprint) {
		return false, fmt.Errorf("%w: pass %d of %s", ErrUnfinished, progress.Generation, p.o.Mapping)
	}
	for q, err := range checkpoint.Quarantine(ctx, p.o.Store, p.o.Mapping) {
		if err != nil {
			return false, fmt.Errorf("read the quarantine: %w", err)
		}
		if p.replay(q) {
			return true, nil
		}
	}
	return false, nil
}
