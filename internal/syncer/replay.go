package syncer

import (
	"context"
	"errors"
	"fmt"

	"syncd/internal/checkpoint"
)

// Selector chooses objects of the quarantine.
type Selector func(checkpoint.Quarantined) bool

// ErrUnfinished says that a pass was interrupted and has to be finished before anything else can be written to the ledger.
var ErrUnfinished = errors.New("a pass is unfinished")

// Replay tries objects in quarantine again, whether they are due or not, in a pass over nothing else: the source is not
// listed, each object is looked up by itself. Its summary counts the objects that were tried. While a pass is unfinished
// the error is ErrUnfinished, because its progress would be lost.
func (s *Syncer) Replay(ctx context.Context, choose Selector) (Summary, error) {
	return s.Do(ctx, Order{Replay: choose})
}

// beginReplay refuses a replay where it would do harm.
func (p *pass) beginReplay(ctx context.Context, ledger *checkpoint.Ledger) error {
	p.tally.opened(ledger.Generation(), 0)
	progress, ok, err := checkpoint.Unfinished(ctx, p.o.Store, p.o.Mapping)
	if err != nil {
		return fmt.Errorf("look for an unfinished pass: %w", err)
	}
	if ok && !replayed(progress.Fingerprint) {
		return fmt.Errorf("%w: pass %d of %s", ErrUnfinished, progress.Generation, p.o.Mapping)
	}
	return nil
}
