package checkpoint

import (
	"context"
	"fmt"

	"syncd/internal/checkpoint/record"
	"syncd/internal/checkpoint/watermark"
)

// Walk is the walk of a pass through one range of keys. Different walks of a pass may be used at
// the same time. Reserve and End of one walk must not be called concurrently.
type Walk struct {
	pass  *saving
	after string

	// The caller holds pass.mu.
	water   watermark.Watermark
	last    string // last reserved key
	until   string // last key of the range; valid once the walk has ended
	isEnded bool   // every key of the range is reserved
	// isStalled means that Reserve waits for the mark.
	isStalled bool
}

// Reserve reserves the next key of the range and returns its slot. The parameter rows has the rows
// that the ledger has for the key, as Previous and PreviousQuarantine yield them. Keys must be
// reserved in ascending byte order. A key with rows that is never reserved keeps its rows, but then
// Commit returns an error. To bound memory, Reserve blocks while too many slots are ahead of the
// low-water mark of the range, and saves the pass when Options.Window changes are unsaved. It
// returns ctx.Err() if ctx ends during the wait. If an earlier save failed, it returns the error of
// that save.
func (w *Walk) Reserve(ctx context.Context, key string, rows record.Rows) (*Slot, error) {
	slot := &Slot{key: watermark.Key{Name: key}, walk: w, pass: w.pass, rows: rows}
	for {
		wait, err := w.push(slot)
		if err != nil {
			return nil, fmt.Errorf("reserve key %q: %w", key, err)
		}
		switch wait {
		case nil:
			return slot, nil
		case full:
			err = w.pass.flushIf(ctx, w.pass.isFull)
		default:
			select {
			case <-wait:
			case <-ctx.Done():
				err = ctx.Err()
			}
		}
		if err != nil {
			return nil, fmt.Errorf("reserve key %q: %w", key, err)
		}
	}
}

// full is returned by push if the pass must be saved first.
var full = make(chan struct{}) //nolint:gochecknoglobals // a constant; nothing is sent on it

// push adds the slot to the watermark. If there is no room, push returns a channel that is closed
// when the caller must try again, or full.
func (w *Walk) push(slot *Slot) (wait chan struct{}, err error) {
	p := w.pass
	p.mu.Lock()
	defer p.mu.Unlock()
	switch {
	case p.err != nil:
		return nil, p.err
	case w.isEnded:
		return nil, fmt.Errorf("the walk of the range after %q has ended", w.after)
	case slot.key.Name <= w.last:
		return nil, fmt.Errorf("not above %q", w.last)
	case p.isFull():
		return full, nil
	case w.water.Len() < p.room():
		w.water.Push(&slot.key)
		w.last, w.isStalled = slot.key.Name, false
		return nil, nil
	}
	w.isStalled = true
	if p.moved == nil {
		p.moved = make(chan struct{})
	}
	return p.moved, nil
}

// End declares that every key of the range up to and including until was reserved; "" stands for
// the last key. Once all of them are settled, the whole range counts as settled.
func (w *Walk) End(until string) {
	p := w.pass
	p.mu.Lock()
	defer p.mu.Unlock()
	w.until, w.isEnded = until, true
	p.advance(w)
}
