// Package generation reads the committed generations of a mapping, adds new generations and deletes
// obsolete ones. It serves the holder of the mapping's lease.
//
// The package guarantees that only one of two writers of a mapping commits. A generation is
// committed by creating the manifest with the next number, and a number is used only once. A
// previous holder of the lease may still be alive. The new holder fences off the previous holder by
// taking the number that the previous holder would commit next. If a generation is damaged, the
// package logs a warning and uses the newest intact generation. It keeps all records that a later
// pass can need.
//
// Package record defines the content of a manifest, and package checkpoint the content of the next
// generation.
//
// Terms: a chain is the generations of one mapping. A fence is a generation that repeats the
// previous generation under the next number.
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

// Options configure a chain: its mapping, its writer, and how many generations stay readable.
type Options struct {
	Mapping   string           // name of the mapping
	Holder    string           // holder of the lease
	Nonce     string           // identifies this writer in every manifest that it writes
	Now       func() time.Time // the clock
	Logger    *slog.Logger     // logs damage that the chain recovered from
	Keep      int              // generations that stay readable; fences do not count
	KeepFor   time.Duration    // generations younger than this also stay readable
	Verified  *Verified        // chunks already verified, which are not verified again
	Full      bool             // chunks are verified from end to end, not only their footers
	StartOver bool             // if no generation is intact, start with an empty ledger
}

// Chain manages the committed generations of a mapping for the holder of its lease.
type Chain struct {
	store store.Store
	lease store.Lease
	o     Options

	mu          sync.Mutex
	retained    []record.Manifest // committed generations that stay readable, newest first
	newest      int64             // number of the newest manifest, damaged or not
	startedOver int64             // number of the newest generation if all are damaged, otherwise 0
}

// Open loads the generations of a mapping. It verifies the chunks of the newest generation, see
// Chain.Verify, and skips damaged generations. If the lease was taken over, Open fences off the
// previous holder.
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

// base returns the generation from which the next pass starts. Its number is 0 if there is none.
// The caller holds c.mu.
func (c *Chain) base() record.Manifest {
	if len(c.retained) == 0 {
		return record.Manifest{StartedOver: c.startedOver}
	}
	return c.retained[0]
}

// Manifest returns the manifest of the last committed generation. Its Generation is 0 if there is
// none.
func (c *Chain) Manifest() record.Manifest {
	c.mu.Lock()
	defer c.mu.Unlock()
	if base := c.base(); base.Pass != 0 {
		return base
	}
	return record.Manifest{}
}

// Last returns the manifest from which the next pass starts, and the number of the newest
// generation, damaged or not. If there is no generation to start from, base.Generation is 0.
func (c *Chain) Last() (base record.Manifest, newest int64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.base(), c.newest
}

// leaseAfter returns the lease number for a manifest that follows base. If the store does not
// number leases, the manifest gets the lease number of base. So the numbers continue to increase if
// the ledger is later moved to a store that numbers leases.
func (c *Chain) leaseAfter(base record.Manifest) int64 { return max(c.lease.Number(), base.Lease) }

// Stamp records this writer and its lease in a manifest that follows base.
func (c *Chain) Stamp(m *record.Manifest, base record.Manifest) {
	m.Writer, m.Lease = c.o.Nonce, c.leaseAfter(base)
}

// Now returns the current time in UTC, truncated to microseconds, the precision of records.
func (c *Chain) Now() time.Time { return c.o.Now().UTC().Truncate(time.Microsecond) }

// Reload reads the generations again after a pass that ended with an error but may have committed.
// It returns ErrSuperseded if another writer has committed a generation in the meantime.
func (c *Chain) Reload(ctx context.Context, pass int64) error {
	_, before := c.Last()
	if err := c.load(ctx); err != nil {
		return err
	}
	base, newest := c.Last()
	if isOwn := base.Writer == c.o.Nonce && base.Generation == pass; newest == before || isOwn && newest == pass {
		return nil
	}
	return fmt.Errorf("%w: generation %d was committed", store.ErrSuperseded, newest)
}
