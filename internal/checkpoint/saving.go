package checkpoint

import (
	"context"
	"errors"
	"fmt"

	"syncd/internal/checkpoint/turn"
	"syncd/internal/checkpoint/watermark"
)

// saving saves what a pass holds, one save at a time.
type saving struct {
	unsaved
	turn  turn.Lock // taken before mu
	saver saver
}

// Flush saves what is settled: first the chunks, then the progress record that names them, the
// low-water mark, the uploads in progress and the claims. What is settled above the mark is saved
// too, so that one slow key costs nothing but itself. When nothing was settled, and no upload began
// or ended, it writes nothing. After a Flush that failed the pass has ended, and Begin resumes
// after the last progress record; but when ctx ended during it the changes wait on, so that a drain
// can still save them with Abandon.
func (p *saving) Flush(ctx context.Context) error { return p.flush(ctx, true) }

// FlushDue saves what of it is due: as Flush, but what is above the mark only when it has been
// there for as long as a save may wait.
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

// saveState writes a progress record of what was saved before and of the state now. The caller
// holds p.turn.
func (p *saving) saveState(ctx context.Context) error {
	p.mu.Lock()
	now := p.state(p.savedMark)
	p.mu.Unlock()
	if err := p.saver.saveState(ctx, now); err != nil {
		err = fmt.Errorf("save pass %d: %w", p.number, err)
		if ctx.Err() != nil {
			return err // nothing was taken out, so the next save makes up for it
		}
		return p.fail(err)
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.uploads.saved = now.version
	return nil
}

// saveTaken saves a batch that waits no more. A panic ends the pass: a later save would build on
// what is half done.
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

// putBack makes a batch wait again that could not be saved.
func (p *saving) putBack(b watermark.Batch) error {
	err := p.saver.close()
	p.saver.rewind()
	p.mu.Lock()
	defer p.mu.Unlock()
	p.water.PutBack(b)
	return err
}
