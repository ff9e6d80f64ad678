package checkpoint

import (
	"context"
	"errors"
	"fmt"

	"syncd/internal/checkpoint/turn"
	"syncd/internal/checkpoint/watermark"
)

// saving saves the settled keys of a pass, one save at a time.
type saving struct {
	unsaved
	turn  turn.Lock // locked before mu
	saver saver
}

// Flush saves the settled keys: first the chunks, then the progress record with the low-water mark,
// the uploads in progress and the claims. Flush also saves keys settled above the mark, so that one
// slow key does not delay the saving of later keys. If nothing changed, Flush writes nothing. If
// Flush fails because ctx ended, the pass continues and the changes stay in memory, so that a drain
// can still save them with Abandon. If Flush fails for another reason, the pass has ended, and the
// next Begin resumes from the last progress record.
func (p *saving) Flush(ctx context.Context) error { return p.flush(ctx, true) }

// FlushDue is like Flush, but saves keys settled above the mark only if enough time has passed
// since the last save of such keys: 1 s at the start of the pass, doubled with each save up to
// Options.FlushInterval.
func (p *saving) FlushDue(ctx context.Context) error { return p.flush(ctx, false) }

func (p *saving) flush(ctx context.Context, ahead bool) error {
	if err := p.turn.Take(ctx); err != nil {
		return err
	}
	defer p.turn.Give()
	p.mu.Lock()
	if p.err != nil || !p.isUnsaved() {
		defer p.mu.Unlock()
		return p.err
	}
	if ahead = ahead || p.isAheadDue(); ahead {
		p.savedAheadAt = p.options.Now()
	}
	taken := p.water.Take()
	if ahead {
		taken.IsAll = p.saver.aheadIsFull()
		taken.Ahead = p.water.TakeAhead(taken.IsAll)
	}
	now := p.state(taken.Mark)
	p.mu.Unlock()
	if err := p.saveTaken(ctx, taken, now); err != nil {
		err = fmt.Errorf("save pass %d: %w", p.number, err)
		if ctx.Err() != nil {
			return errors.Join(err, p.putBack(taken))
		}
		return p.fail(err)
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.savedAt, p.savedMark, p.uploads.saved = p.options.Now(), taken.Mark, now.version
	p.patience = min(2*p.patience, p.options.FlushInterval)
	p.wake()
	return nil
}

// saveState writes a progress record with the ranges of the last save and the current state. The
// caller holds p.turn.
func (p *saving) saveState(ctx context.Context) error {
	p.mu.Lock()
	now := p.state(p.savedMark)
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
	p.uploads.saved = now.version
	return nil
}

// saveTaken saves a batch that was taken from the watermark. A panic ends the pass, because a later
// save would build on incomplete state.
func (p *saving) saveTaken(ctx context.Context, taken watermark.Batch, now state) error {
	returned := false
	defer func() {
		if !returned {
			_ = p.fail(ErrPassEnded)
		}
	}()
	err := p.saver.save(ctx, taken, now)
	returned = true
	return err
}

// putBack gives a batch that could not be saved back to the watermark.
func (p *saving) putBack(b watermark.Batch) error {
	err := p.saver.close()
	p.saver.rewind()
	p.mu.Lock()
	defer p.mu.Unlock()
	p.water.PutBack(b)
	return err
}
