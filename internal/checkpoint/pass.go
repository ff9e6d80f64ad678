package checkpoint

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"iter"
	"sync"
	"time"

	"syncd/internal/checkpoint/chunk"
	"syncd/internal/checkpoint/record"
	"syncd/internal/checkpoint/turn"
)

// Pass is one traversal of a mapping, from Begin to Commit or Abandon. Its
// methods may be called from several goroutines; Reserve takes the keys in
// ascending order, so one goroutine should call it.
type Pass struct {
	ledger   *Ledger
	number   int64
	base     record.Manifest // generation the pass started from; zero: none
	start    string          // mark it resumed behind
	settled  []record.Chunk  // what it had settled up to there
	settings record.Settings // that it was begun under
	resumed  bool

	// Locks are taken in the order of these groups.
	reserving turn.Lock
	keys      *chunk.Walker[chunk.KeyRow] // base generation's keys, in step with last
	last      string                      // key reserved last
	overlay   overlay                     // what the interrupted pass had settled above its mark

	claiming claiming

	saving turn.Lock
	saver  saver

	mu        sync.Mutex
	water     watermark
	uploads   uploads
	claims    claims
	refusal   *record.Refusal // that the next record has
	savedMark string          // mark of the progress record saved last
	savedAt   time.Time
	err       error         // why the pass ended or failed, nil while it goes on
	moved     chan struct{} // closed when a waiting Reserve should look again

	savedAheadAt time.Time     // when what is above the mark was saved last
	patience     time.Duration // until a save is due again: short at first, so that a process that is killed soon gets ahead
}

// Number returns the number of the pass, which is the generation it will
// commit: one more than the last generation.
func (p *Pass) Number() int64 { return p.number }

// Mark returns the key behind which the pass began, "" for the first key. Keys
// at or below it were settled before the pass was interrupted.
func (p *Pass) Mark() string { return p.start }

// Resumed reports whether the pass goes on where an interrupted one was saved.
func (p *Pass) Resumed() bool { return p.resumed }

// Memo returns the memo of the pass's settings: that of the pass it resumes, or the one it began with.
func (p *Pass) Memo() string { return p.settings.Memo }

// LowWater returns the last key at or below which every key is settled by now.
func (p *Pass) LowWater() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.water.batch.mark
}

// Counts returns how the keys up to the low-water mark were settled, over all
// resumptions of the pass.
func (p *Pass) Counts() record.Counts {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.water.batch.counts
}

// Previous yields the entries that the pass starts from, with keys above Mark, ascending: the last generation's, and those
// that the pass had recorded itself before it was interrupted, whose Pass is above that of the generation. It reads as it goes
// and holds a bounded number of rows.
func (p *Pass) Previous(ctx context.Context) iter.Seq2[record.Entry, error] {
	return p.PreviousAfter(ctx, p.start)
}

// PreviousAfter is Previous for the keys above after, which is at or above Mark.
func (p *Pass) PreviousAfter(ctx context.Context, after string) iter.Seq2[record.Entry, error] {
	base := chunk.Entries(ctx, p.ledger.store, p.base.Chunks, after)
	return p.overlay.above(after).overEntries(base)
}

// Base yields the entries of the last generation, ascending, from its first key.
func (p *Pass) Base(ctx context.Context) iter.Seq2[record.Entry, error] { return p.baseAfter(ctx, "") }

func (p *Pass) baseAfter(ctx context.Context, after string) iter.Seq2[record.Entry, error] {
	return chunk.Entries(ctx, p.ledger.store, p.base.Chunks, after)
}

// CopiedAfter yields entries with keys above after, ascending, as they were when the pass began: up to Mark what it had settled
// before it was interrupted, and above that those of the last generation.
func (p *Pass) CopiedAfter(ctx context.Context, after string) iter.Seq2[record.Entry, error] {
	return func(yield func(record.Entry, error) bool) {
		if after < p.start {
			for e, err := range chunk.Entries(ctx, p.ledger.store, p.settled, after) {
				if errors.Is(err, fs.ErrNotExist) {
					break // this pass has merged it with others since
				}
				if !yield(e, err) || err != nil {
					return
				}
			}
		}
		for e, err := range p.baseAfter(ctx, max(after, p.start)) {
			if !yield(e, err) {
				return
			}
		}
	}
}

// PreviousQuarantine yields what was set aside, keys above Mark, ascending: by the last generation, and by the pass itself
// before it was interrupted.
func (p *Pass) PreviousQuarantine(ctx context.Context) iter.Seq2[record.Quarantined, error] {
	return p.PreviousQuarantineAfter(ctx, p.start)
}

// PreviousQuarantineAfter is PreviousQuarantine for the keys above after, which is at or above Mark.
func (p *Pass) PreviousQuarantineAfter(ctx context.Context, after string) iter.Seq2[record.Quarantined, error] {
	base := chunk.Quarantine(ctx, p.ledger.store, p.base.QuarantineChunks, after)
	return p.overlay.above(after).overQuarantine(base)
}

// Reserve gives the slot of the next key. Every key of Previous and every other
// key the pass meets is reserved, in ascending byte order; to leave out a key of
// Previous is an error. Reserve waits while Options.Window slots are ahead of
// the low-water mark, and saves by itself when as many changes wait to be saved,
// so that memory stays bounded. It returns the context's error when that ends
// first, and the first error of an earlier save when there was one.
func (p *Pass) Reserve(ctx context.Context, key string) (*Slot, error) {
	if err := p.reserving.Take(ctx); err != nil {
		return nil, err
	}
	defer p.reserving.Give()
	if key <= p.last {
		return nil, fmt.Errorf("reserve key %q: not above %q", key, p.last)
	}
	inBase, err := p.findInBase(ctx, key)
	if err != nil {
		return nil, fmt.Errorf("reserve key %q: %w", key, err)
	}
	slot := &Slot{pass: p, key: key, inBase: inBase, before: p.overlay.head(key)}
	if err := p.push(ctx, slot); err != nil {
		return nil, fmt.Errorf("reserve key %q: %w", key, err)
	}
	p.last = key
	if inBase {
		p.keys.Take()
	}
	if slot.before != nil {
		p.overlay.take()
	}
	return slot, nil
}

// findInBase looks key up without moving past it.
func (p *Pass) findInBase(ctx context.Context, key string) (bool, error) {
	if err := p.failure(); err != nil {
		return false, err // the walker may be closed
	}
	head, err := p.keys.Head(ctx)
	switch {
	case errors.Is(err, io.EOF):
		return false, p.overlay.passedOver(key)
	case err != nil:
		return false, fmt.Errorf("look up previous generation: %w", err)
	case head.Key < key:
		return false, fmt.Errorf("key %q of the previous generation was passed over", head.Key)
	}
	return head.Key == key, p.overlay.passedOver(key)
}

// passedOver returns an error that names the first key of the previous generation that is not reserved, nil for none.
func (p *Pass) passedOver(ctx context.Context) error {
	head, err := p.keys.Head(ctx)
	switch {
	case err == nil:
		return fmt.Errorf("key %q of the previous generation was passed over", head.Key)
	case !errors.Is(err, io.EOF):
		return fmt.Errorf("look up previous generation: %w", err)
	}
	return p.overlay.passedOver("")
}

// push hands the slot to the watermark once there is room for it.
func (p *Pass) push(ctx context.Context, slot *Slot) error {
	for {
		p.mu.Lock()
		switch {
		case p.err != nil:
			defer p.mu.Unlock()
			return p.err
		case p.water.waiting() >= p.ledger.options.Window:
			p.mu.Unlock()
			if err := p.FlushDue(ctx); err != nil {
				return err
			}
		case p.water.n < p.ledger.options.Window:
			p.water.push(slot)
			p.mu.Unlock()
			return nil
		default:
			moved := p.moved
			if moved == nil {
				moved = make(chan struct{})
				p.moved = moved
			}
			p.mu.Unlock()
			select {
			case <-moved:
			case <-ctx.Done():
				return ctx.Err()
			}
		}
	}
}

func (p *Pass) settle(s *Slot, how settlement, key string, e *record.Entry, q *record.Quarantined) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.err != nil {
		return
	}
	if problem := s.misuse(how, key); problem != "" {
		p.end(fmt.Errorf("BUG: settle key %q: %s", s.key, problem))
		return
	}
	s.how, s.entry, s.quarantined = how, e, q
	if s.before != nil && how == carried {
		s.how, s.entry = recorded, s.before // the base does not have it
	}
	if s.before != nil && how == kept {
		s.entry = s.before
	}
	p.uploads.forget(p.uploads.begun, s.upload)
	if s.held {
		p.uploads.hold(q)
	}
	before := p.water.n
	p.water.settled(s)
	if before >= p.ledger.options.Window && p.water.n < before {
		p.wake()
	}
}

// misuse says why the slot may not be settled so, "" when it may.
func (s *Slot) misuse(how settlement, key string) string {
	switch {
	case s.how != unsettled:
		return "settled twice"
	case key != s.key:
		return fmt.Sprintf("the slot is not that of key %q", key)
	case (how == carried || how == kept) && !s.inBase && s.before == nil:
		return "the previous generation has no entry to keep"
	}
	return ""
}

// wake lets waiting Reserves look again. The caller holds p.mu.
func (p *Pass) wake() {
	if p.moved != nil {
		close(p.moved)
		p.moved = nil
	}
}

// end keeps the first reason why the pass does not go on. The caller holds p.mu.
func (p *Pass) end(reason error) {
	if p.err == nil {
		p.err = reason
	}
	p.wake()
}

func (p *Pass) fail(err error) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.end(err)
	return err
}

func (p *Pass) failure() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.err
}
