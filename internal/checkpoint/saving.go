package checkpoint

import (
	"context"
	"fmt"

	"syncd/internal/checkpoint/turn"
)

// saving saves the settled keys of a pass, one save at a time.
type saving struct {
	unsaved
	turn    turn.Lock // locked before mu
	merging turn.Lock // locked before turn
	saver   saver
}

// Flush saves the settled keys: first their rows, then the progress record with the low-water marks,
// the uploads in progress and the claims. Flush also saves keys settled above a mark, so that one
// slow key does not delay the saving of later keys. If nothing changed, Flush writes nothing. If
// Flush fails because ctx ended, the pass continues and the changes stay in memory, so that a drain
// can still save them with Abandon. If Flush fails for another reason, the pass has ended, and the
// next Begin resumes from the last progress record.
func (p *saving) Flush(ctx context.Context) error {
	return p.flushIf(ctx, p.isUnsaved)
}

// FlushDue is like Flush if a save is due and no other save is in progress. Otherwise it does
// nothing.
func (p *saving) FlushDue(ctx context.Context) error {
	if !p.Due() || !p.turn.TryTake() {
		return nil
	}
	defer p.turn.Give()
	return p.flush(ctx, p.isDue)
}

func (p *saving) flushIf(ctx context.Context, isNeeded func() bool) error {
	return p.inTurn(ctx, func() error { return p.flush(ctx, isNeeded) })
}

// inTurn calls do while no save is in progress, unless the pass has ended.
func (p *saving) inTurn(ctx context.Context, do func() error) error {
	if err := p.turn.Take(ctx); err != nil {
		return err
	}
	defer p.turn.Give()
	if err := p.failure(); err != nil {
		return err
	}
	return do()
}

// flush saves the settled keys if isNeeded returns true, which is called with p.mu held. The caller
// holds p.turn.
func (p *saving) flush(ctx context.Context, isNeeded func() bool) error {
	p.mu.Lock()
	if p.err != nil || !isNeeded() {
		defer p.mu.Unlock()
		return p.err
	}
	b, moves := p.take(), p.moves
	now := p.state(b.settled)
	p.mu.Unlock()
	if err := p.saveTaken(ctx, b, now); err != nil {
		err = fmt.Errorf("save pass %d: %w", p.number, err)
		if ctx.Err() != nil {
			p.putBack(b)
			return err
		}
		return p.fail(err)
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.savedAt, p.saved = p.options.Now(), moves
	p.isSaved(now)
	p.patience = min(2*p.patience, p.options.FlushInterval)
	p.wake()
	return nil
}

// take takes the unsaved changes. The caller holds p.mu.
func (p *unsaved) take() batch {
	b := batch{changes: p.changes, settled: p.settledNow(), counts: p.counts}
	p.changes = changes{}
	return b
}

// putBack gives back changes that could not be saved.
func (p *unsaved) putBack(b batch) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.changes = b.with(p.changes)
}

// saveState writes a progress record with the rows of the last save and the current state. The caller
// holds p.turn.
func (p *saving) saveState(ctx context.Context) error {
	p.mu.Lock()
	now := p.state(p.saver.progress.Settled)
	p.mu.Unlock()
	if err := p.saver.saveState(ctx, now); err != nil {
		err = fmt.Errorf("save pass %d: %w", p.number, err)
		if ctx.Err() != nil {
			return err // no change is lost: the state is in memory, and the next save writes it
		}
		return p.fail(err)
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.isSaved(now)
	return nil
}

// saveStateUnless saves the state unless isSaved, which is called with p.mu held, returns true: another
// call may have saved it while this call waited for its turn. So only a few of many concurrent calls
// write a record. The save writes only a progress record; rows wait for the next Flush.
func (p *saving) saveStateUnless(ctx context.Context, isSaved func() bool) error {
	return p.inTurn(ctx, func() error {
		p.mu.Lock()
		isDone := isSaved()
		p.mu.Unlock()
		if isDone {
			return nil
		}
		return p.saveState(ctx)
	})
}

// saveTaken saves a batch. A panic ends the pass, because a later save would build on incomplete
// state.
func (p *saving) saveTaken(ctx context.Context, b batch, now state) error {
	returned := false
	defer func() {
		if !returned {
			_ = p.fail(ErrPassEnded)
		}
	}()
	err := p.saver.save(ctx, b, now)
	returned = true
	return err
}
