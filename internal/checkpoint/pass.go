package checkpoint

import (
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"sync"
	"time"
)

// Pass is one traversal of a mapping, from Begin to Commit or Abandon. Its
// methods may be called from several goroutines; Reserve takes the keys in
// ascending order, so one goroutine should call it.
type Pass struct {
	ledger  *Ledger
	number  int64
	base    Manifest // generation the pass started from; zero: none
	start   string   // mark it resumed behind
	resumed bool

	// Locks are taken in the order of these groups.
	reserving sync.Mutex
	keys      *walker[keyRow] // base generation's keys, in step with last
	last      string          // key reserved last

	saving sync.Mutex
	saver  saver

	mu      sync.Mutex
	water   watermark
	uploads uploads
	savedAt time.Time
	err     error         // why the pass ended or failed, nil while it goes on
	moved   chan struct{} // closed when a waiting Reserve should look again
}

// Number returns the number of the pass, which is the generation it will
// commit: one more than the last generation.
func (p *Pass) Number() int64 { return p.number }

// Mark returns the key behind which the pass began, "" for the first key. Keys
// at or below it were settled before the pass was interrupted.
func (p *Pass) Mark() string { return p.start }

// Resumed reports whether the pass goes on where an interrupted one was saved.
func (p *Pass) Resumed() bool { return p.resumed }

// LowWater returns the last key at or below which every key is settled by now.
func (p *Pass) LowWater() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.water.batch.mark
}

// Counts returns how the keys up to the low-water mark were settled, over all
// resumptions of the pass.
func (p *Pass) Counts() Counts {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.water.batch.counts
}

// Previous yields the last generation's entries with keys above Mark, ascending.
// It reads as it goes and holds a bounded number of rows.
func (p *Pass) Previous(ctx context.Context) iter.Seq2[Entry, error] {
	return entriesOf(readRows[entryRow](ctx, p.ledger.store, p.base.Chunks, p.start))
}

// PreviousQuarantine yields what the last generation set aside, keys above Mark,
// ascending.
func (p *Pass) PreviousQuarantine(ctx context.Context) iter.Seq2[Quarantined, error] {
	return quarantinedOf(readRows[quarantineRow](ctx, p.ledger.store, p.base.QuarantineChunks, p.start))
}

// Reserve gives the slot of the next key. Every key of Previous and every other
// key the pass meets is reserved, in ascending byte order; to leave out a key of
// Previous is an error. Reserve waits while Options.Window slots are ahead of
// the low-water mark, and saves by itself when as many changes wait to be saved,
// so that memory stays bounded. It returns the context's error when that ends
// first, and the first error of an earlier save when there was one.
func (p *Pass) Reserve(ctx context.Context, key string) (*Slot, error) {
	p.reserving.Lock()
	defer p.reserving.Unlock()
	if key <= p.last {
		return nil, fmt.Errorf("reserve key %q: not above %q", key, p.last)
	}
	inBase, err := p.findInBase(ctx, key)
	if err != nil {
		return nil, fmt.Errorf("reserve key %q: %w", key, err)
	}
	slot := &Slot{pass: p, key: key, inBase: inBase}
	if err := p.push(ctx, slot); err != nil {
		return nil, fmt.Errorf("reserve key %q: %w", key, err)
	}
	p.last = key
	if inBase {
		p.keys.take()
	}
	return slot, nil
}

// findInBase looks key up without moving past it.
func (p *Pass) findInBase(ctx context.Context, key string) (bool, error) {
	if err := p.failure(); err != nil {
		return false, err // the walker may be closed
	}
	head, err := p.keys.head(ctx)
	switch {
	case errors.Is(err, io.EOF):
		return false, nil
	case err != nil:
		return false, fmt.Errorf("look up previous generation: %w", err)
	case head.Key < key:
		return false, fmt.Errorf("key %q of the previous generation was passed over", head.Key)
	}
	return head.Key == key, nil
}

// push hands the slot to the watermark once there is room for it.
func (p *Pass) push(ctx context.Context, slot *Slot) error {
	for {
		p.mu.Lock()
		switch {
		case p.err != nil:
			defer p.mu.Unlock()
			return p.err
		case p.water.batch.waiting() >= p.ledger.options.Window:
			p.mu.Unlock()
			if err := p.Flush(ctx); err != nil {
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

func (p *Pass) settle(s *Slot, how settlement, key string, e *Entry, q *Quarantined) {
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
	p.uploads.forget(p.uploads.begun, s.upload)
	if s.held {
		p.uploads.hold(q)
	}
	if before := p.water.n; s == p.water.ring[p.water.first] {
		p.water.advance()
		if before >= p.ledger.options.Window {
			p.wake()
		}
	}
}

// misuse says why the slot may not be settled so, "" when it may.
func (s *Slot) misuse(how settlement, key string) string {
	switch {
	case s.how != unsettled:
		return "settled twice"
	case key != s.key:
		return fmt.Sprintf("the slot is not that of key %q", key)
	case (how == carried || how == kept) && !s.inBase:
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
