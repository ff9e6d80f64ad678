package checkpoint

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"

	"syncd/internal/checkpoint/chunk"
	"syncd/internal/checkpoint/generation"
	"syncd/internal/checkpoint/record"
	"syncd/internal/checkpoint/turn"
	"syncd/internal/checkpoint/watermark"
)

// Pass is one traversal of a mapping, from Begin to Commit or Abandon. Its methods are safe for
// concurrent use. Keys must be passed to Reserve in ascending order, so only one goroutine should
// call Reserve.
type Pass struct {
	*saving
	view
	claiming

	chain    *generation.Chain
	settings record.Settings // settings under which the pass began
	resumed  bool

	reserving turn.Lock                   // locked before saving.turn
	keys      *chunk.Walker[chunk.KeyRow] // walks the base generation's keys, in step with last
	last      string                      // last reserved key
}

// Number returns the number of the pass, which is also the number of the generation that it will
// commit: the last generation plus one.
func (p *Pass) Number() int64 { return p.number }

// Resumed reports whether the pass resumes an interrupted pass.
func (p *Pass) Resumed() bool { return p.resumed }

// Memo returns the memo in the pass's settings. A resumed pass keeps the memo that it first began
// with.
func (p *Pass) Memo() string { return p.settings.Memo }

// Reserve reserves the next key and returns its slot. The caller must reserve every key of Previous
// and every other key that the pass meets, in ascending byte order; skipping a key of Previous is
// an error. To bound memory, Reserve blocks while Options.Window slots are ahead of the low-water
// mark, and saves the pass when Options.Window changes are unsaved. It returns ctx.Err() if ctx
// ends during the wait. If an earlier save failed, it returns the error of that save.
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
	slot := &Slot{key: watermark.Key{Name: key, InBase: inBase}, pass: p.saving, before: p.overlay.Head(key)}
	if err := p.push(ctx, slot); err != nil {
		return nil, fmt.Errorf("reserve key %q: %w", key, err)
	}
	p.last = key
	if inBase {
		p.keys.Take()
	}
	if slot.before != nil {
		p.overlay.Take()
	}
	return slot, nil
}

// findInBase reports whether the previous generation has key. The walker stays at that key.
func (p *Pass) findInBase(ctx context.Context, key string) (bool, error) {
	if err := p.failure(); err != nil {
		return false, err // the walker may be closed
	}
	head, err := p.keys.Head(ctx)
	switch {
	case errors.Is(err, io.EOF):
		return false, p.overlay.PassedOver(key)
	case err != nil:
		return false, fmt.Errorf("look up previous generation: %w", err)
	case head.Key < key:
		return false, fmt.Errorf("key %q of the previous generation was not reserved", head.Key)
	}
	return head.Key == key, p.overlay.PassedOver(key)
}

// passedOver returns an error that names the first key of the previous generation that was not
// reserved, or nil if all keys were reserved.
func (p *Pass) passedOver(ctx context.Context) error {
	head, err := p.keys.Head(ctx)
	switch {
	case err == nil:
		return fmt.Errorf("key %q of the previous generation was not reserved", head.Key)
	case !errors.Is(err, io.EOF):
		return fmt.Errorf("look up previous generation: %w", err)
	}
	return p.overlay.PassedOver("")
}

// push waits until there is room in the window, and adds the slot to the watermark.
func (p *Pass) push(ctx context.Context, slot *Slot) error {
	for {
		p.mu.Lock()
		switch {
		case p.err != nil:
			defer p.mu.Unlock()
			return p.err
		case p.water.Waiting() >= p.options.Window:
			p.mu.Unlock()
			if err := p.FlushDue(ctx); err != nil {
				return err
			}
		case p.water.Len() < p.options.Window:
			p.water.Push(&slot.key)
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

// Abandon saves the settled keys and ends the pass. The next Begin resumes it. Settling a slot
// after Abandon has no effect.
func (p *Pass) Abandon(ctx context.Context) error {
	err := p.Flush(ctx)
	return errors.Join(err, p.close())
}

// Commit commits the pass as the next generation and returns its number. A single write commits the
// generation. If a slot is not settled or an entry of the previous generation was not reserved,
// Commit returns an error and the pass continues. After any other error the pass has ended, and the
// next Begin determines whether it was committed. ErrSuperseded means that another writer has taken
// over.
func (p *Pass) Commit(ctx context.Context) (generation int64, err error) {
	if err := p.reserving.Take(ctx); err != nil {
		return 0, err
	}
	defer p.reserving.Give()
	if err := p.saving.turn.Take(ctx); err != nil {
		return 0, err
	}
	defer p.saving.turn.Give()
	if err := p.complete(ctx); err != nil {
		return 0, fmt.Errorf("commit pass %d: %w", p.number, err)
	}
	p.mu.Lock()
	isSettled := func(c record.Claim) bool { return c.Fingerprint == p.fingerprint && !c.Proved }
	taken, claims := p.water.Take(), append(slices.DeleteFunc(slices.Clone(p.claims.inherited), isSettled), p.claims.taken...)
	p.mu.Unlock()
	manifest, err := p.saver.commit(ctx, taken, p.KeptUploads(), claims)
	if err != nil {
		return 0, p.fail(fmt.Errorf("commit pass %d: %w", p.number, err))
	}
	_ = p.fail(ErrPassEnded)
	p.chain.Committed(ctx, manifest)
	return manifest.Generation, nil
}

// complete returns an error unless every key is reserved and settled.
func (p *Pass) complete(ctx context.Context) error {
	if err := p.failure(); err != nil {
		return err
	}
	if err := p.passedOver(ctx); err != nil {
		return err
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.water.Len() > 0 {
		return fmt.Errorf("%d keys from %q on are not settled", p.water.Len(), p.water.First())
	}
	return nil
}

// close ends the pass, waits for calls in progress and closes open chunks. It is idempotent.
func (p *Pass) close() error {
	_ = p.fail(ErrPassEnded) // wakes a waiting Reserve, so that it releases p.reserving
	p.reserving.MustTake()
	defer p.reserving.Give()
	p.saving.turn.MustTake()
	defer p.saving.turn.Give()
	return errors.Join(p.keys.Close(), p.saver.close())
}
