// Package generation reads, continues and sweeps the committed generations of a mapping for the
// holder of its lease.
//
// The package promises that of two writers of one mapping one commits: a generation is made by
// creating the manifest of the next number, a number is given once, and a holder before that may
// still be alive is fenced off by taking the number that it would commit. A damaged generation is
// passed over, with a warning, for the newest one that is whole; nothing that a later pass may need
// is swept.
//
// It leaves to package record what a manifest says, and to package checkpoint what is in the next
// one.
//
// The words: a chain is the generations of one mapping; a fence is a generation that repeats the
// one before under the next number.
package generation

import (
	"context"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"syncd/internal/checkpoint/record"
	"syncd/internal/checkpoint/store"
)

// Options tell whose generations they are, and which are kept.
type Options struct {
	Mapping   string           // whose generations they are
	Holder    string           // of the lease
	Nonce     string           // of this writer, in every manifest that it writes
	Now       func() time.Time // clock
	Logger    *slog.Logger     // of damage that was survived
	Keep      int              // generations that stay readable; fences do not count
	KeepFor   time.Duration    // generations younger than this stay readable too
	Verified  *Verified        // chunks that need not be read again
	StartOver bool             // where no generation is whole, begin with none after the damage
}

// Chain is the committed generations of a mapping, as the holder of its lease reads and continues
// them.
type Chain struct {
	store store.Store
	lease store.Lease
	o     Options

	mu          sync.Mutex
	retained    []record.Manifest // committed generations that stay readable, newest first
	newest      int64             // number of the newest manifest, be it damaged or not
	startedOver int64             // with nothing retained: the newest of the generations that are all damaged
}

// Open reads the generations of a mapping. Each chunk of the newest is read once to see that it is
// whole; a damaged generation is passed over. Where the lease was taken over, the holder before is
// fenced off.
func Open(ctx context.Context, records store.Store, lease store.Lease, o Options) (*Chain, error) {
	c := &Chain{store: records, lease: lease, o: o}
	err := c.load(ctx)
	if err == nil && lease.TakenOver() {
		err = c.fence(ctx)
	}
	if err != nil {
		return nil, err
	}
	return c, nil
}

// base returns the generation the next pass starts from; its number is 0 when there is none. The
// caller holds c.mu.
func (c *Chain) base() record.Manifest {
	if len(c.retained) == 0 {
		return record.Manifest{StartedOver: c.startedOver}
	}
	return c.retained[0]
}

// Manifest returns the last committed generation's manifest; its Generation is 0 when there is
// none.
func (c *Chain) Manifest() record.Manifest {
	c.mu.Lock()
	defer c.mu.Unlock()
	if base := c.base(); base.Pass != 0 {
		return base
	}
	return record.Manifest{}
}

// Last returns the generation that the next pass starts from, whose number is 0 when there is none,
// and the number of the newest, be it damaged or not.
func (c *Chain) Last() (base record.Manifest, newest int64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.base(), c.newest
}

// leaseAfter is the lease number of a manifest that follows base. A store that counts no leases
// hands on the last number, so that one that does can count on from it when the ledger is moved
// there.
func (c *Chain) leaseAfter(base record.Manifest) int64 { return max(c.lease.Number(), base.Lease) }

// Stamp names this writer and its lease in a manifest that follows base.
func (c *Chain) Stamp(m *record.Manifest, base record.Manifest) {
	m.Writer, m.Lease = c.o.Nonce, c.leaseAfter(base)
}

// Now is the time as records have it.
func (c *Chain) Now() time.Time { return c.o.Now().UTC().Truncate(time.Microsecond) }

// Reload reads the generations again after a pass that may have committed. The error is
// ErrSuperseded when another writer has committed since.
func (c *Chain) Reload(ctx context.Context, pass int64) error {
	_, before := c.Last()
	if err := c.load(ctx); err != nil {
		return err
	}
	base, newest := c.Last()
	if isOwn := base.Writer == c.o.Nonce && base.Generation == pass; newest == before || isOwn && newest == pass {
		return nil
	}
	return fmt.Errorf("%w: generation %d is there", store.ErrSuperseded, newest)
}
