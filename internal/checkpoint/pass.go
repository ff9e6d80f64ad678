package checkpoint

import (
	"context"
	"fmt"
	"slices"

	"syncd/internal/checkpoint/generation"
	"syncd/internal/checkpoint/record"
	"syncd/internal/checkpoint/watermark"
)

// Pass is one traversal of a mapping, from Begin to Commit or Abandon. It walks the ranges that Open
// returns, in one or more calls of Walk. Its methods are safe for concurrent use.
type Pass struct {
	*saving
	View
	claiming
	deleting

	chain    *generation.Chain
	settings record.Settings // settings under which the pass began
	resumed  bool
}

// Number returns the number of the pass, which is also the number of the generation that it will
// commit: the last generation plus one.
func (p *Pass) Number() int64 { return p.number }

// Resumed reports whether the pass resumes an interrupted pass.
func (p *Pass) Resumed() bool { return p.resumed }

// Memo returns the memo in the pass's settings. A resumed pass keeps the memo that it first began
// with.
func (p *Pass) Memo() string { return p.settings.Memo }

// Walk begins the walk of a range that starts after a key. The ranges that the pass walks must not
// overlap, and together they must be the ranges that Open returns. Their ends can be decided later.
func (p *Pass) Walk(after string) *Walk {
	w := &Walk{pass: p.saving, after: after, water: watermark.New(after), last: after}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.walks = append(p.walks, w)
	return w
}

// Abandon saves the settled keys and ends the pass. The next Begin resumes it. Settling a slot
// after Abandon has no effect.
func (p *Pass) Abandon(ctx context.Context) error {
	err := p.Flush(ctx)
	p.close()
	return err
}

// Commit commits the pass as the next generation and returns its number. A single write commits the
// generation. If a range was not walked to its end or a slot is not settled, Commit returns an error
// and the pass continues. After any other error the pass has ended, and the next Begin determines
// whether it was committed. ErrSuperseded means that another writer has taken over.
func (p *Pass) Commit(ctx context.Context) (generation int64, err error) {
	if err := p.turn.Take(ctx); err != nil {
		return 0, err
	}
	defer p.turn.Give()
	b, claims, err := p.takeAll()
	if err != nil {
		return 0, fmt.Errorf("commit pass %d: %w", p.number, err)
	}
	manifest, err := p.saver.commit(ctx, b, p.KeptUploads(), claims)
	if err != nil {
		return 0, p.fail(fmt.Errorf("commit pass %d: %w", p.number, err))
	}
	_ = p.fail(ErrPassEnded)
	p.chain.Committed(ctx, manifest)
	return manifest.Generation, nil
}

// takeAll takes the unsaved changes and the claims for the manifest. It returns an error unless
// every key is settled.
func (p *Pass) takeAll() (b batch, left []record.Claim, err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if err := p.complete(); err != nil {
		return batch{}, nil, err
	}
	isSettled := func(c record.Claim) bool {
		return c.Fingerprint == p.fingerprint && !c.Proved && !c.MayLand(p.began)
	}
	left = slices.DeleteFunc(slices.Clone(p.claims.inherited), isSettled)
	return p.take(), slices.Concat(left, p.claims.taken, p.claims.late()), nil
}

// complete returns an error unless every key is reserved and settled. The caller holds p.mu.
func (p *Pass) complete() error {
	if p.err != nil {
		return p.err
	}
	for _, w := range p.walks {
		if n := w.water.Len(); n > 0 {
			return fmt.Errorf("%d keys from %q on are not settled", n, w.water.First())
		}
	}
	if settled := p.settledNow(); !settled.IsAll() {
		return fmt.Errorf("the ranges %q were not walked to their ends", settled.Gaps())
	}
	return nil
}

// close ends the pass and waits for calls in progress. It is idempotent.
func (p *Pass) close() {
	_ = p.fail(ErrPassEnded)
	p.merging.MustTake()
	defer p.merging.Give()
	p.turn.MustTake()
	defer p.turn.Give()
}
