package generation

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"slices"

	"golang.org/x/sync/errgroup"

	"syncd/internal/checkpoint/chunk"
	"syncd/internal/checkpoint/record"
	"syncd/internal/checkpoint/store"
)

// load reads the retained generations, newest first.
func (c *Chain) load(ctx context.Context) error {
	numbers, err := record.ManifestNumbers(ctx, c.store, c.o.Mapping)
	if err != nil {
		return err
	}
	kept, damage, err := c.readGenerations(ctx, numbers)
	if err != nil {
		return err
	}
	// A folder does not number leases, so the lease numbers of a ledger that was moved from S3 to a
	// folder are not compared.
	if n := c.lease.Number(); n > 0 && len(kept) > 0 && kept[0].Lease > n {
		// Without this check, a holder that was fenced off while it was suspended could in turn
		// fence off the new holder.
		return fmt.Errorf("%w: generation %d was written under lease %d, which is newer than this process's lease %d",
			store.ErrSuperseded, kept[0].Generation, kept[0].Lease, c.lease.Number())
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.retained, c.newest, c.startedOver = kept, 0, 0
	if len(numbers) > 0 {
		c.newest = numbers[0]
	}
	switch {
	case len(kept) == 0 && len(damage) > 0 && !c.o.StartOver:
		return fmt.Errorf("%w: %w", record.ErrNothingWhole, errors.Join(damage...))
	case len(kept) == 0 && len(damage) > 0:
		c.startedOver = c.newest
		c.o.Logger.Warn("ledger was started over", "mapping", c.o.Mapping, "newest", c.newest)
	case c.base().Generation != c.newest:
		c.o.Logger.Warn("fell back to an earlier generation", "mapping", c.o.Mapping,
			"generation", c.base().Generation, "newest", c.newest)
	}
	return nil
}

// readGenerations reads manifests, newest first, until it has all retained generations. It skips
// damaged manifests.
func (c *Chain) readGenerations(ctx context.Context, numbers []int64) (kept []record.Manifest, damage []error, err error) {
	for _, n := range numbers {
		if len(kept) > 0 && n <= kept[0].StartedOver {
			break
		}
		m, err := record.ReadManifest(ctx, c.store, c.o.Mapping, n)
		if err == nil && len(kept) == 0 {
			err = c.Verify(ctx, record.ChunksOf(m.Runs, m.QuarantineRuns))
		}
		_, isDamage := errors.AsType[*store.CorruptError](err)
		switch {
		case isDamage:
			c.o.Logger.Warn("generation was damaged", "mapping", c.o.Mapping, "generation", n, "err", err)
			damage = append(damage, err)
		case errors.Is(err, fs.ErrNotExist):
			continue // the manifest was deleted by a previous holder, which is still sweeping
		case err != nil:
			return nil, nil, err
		default:
			all := append(kept, m)
			if kept = c.retain(all); len(kept) < len(all) && !m.Fence {
				return kept, damage, nil
			}
		}
	}
	return kept, damage, nil
}

// retain returns the generations that stay readable, newest first: the newest generation, and
// generations of passes within Options.Keep or Options.KeepFor. Fences do not count toward
// Options.Keep, so that the fences of a process that dies repeatedly do not replace the generations
// that they repeat.
func (c *Chain) retain(all []record.Manifest) (kept []record.Manifest) {
	passes := 0
	for i, m := range all {
		if i > 0 && m.Fence {
			continue
		}
		if !m.Fence && !c.keeps(m, passes) {
			break
		}
		if !m.Fence {
			passes++
		}
		kept = append(kept, m)
	}
	return kept
}

// keeps reports whether m is retained. The parameter newer is the number of newer retained
// generations that count toward Options.Keep.
func (c *Chain) keeps(m record.Manifest, newer int) bool {
	return newer < c.o.Keep || c.Now().Sub(m.CommittedAt) < c.o.KeepFor
}

// verifiers is how many chunks are verified at once.
const verifiers = 16

// Verify checks that chunks exist and match their sizes and footers, unless this process has already
// done so. If Options.Full is set, it reads the chunks from end to end.
func (c *Chain) Verify(ctx context.Context, lists ...[]record.Chunk) error {
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(verifiers)
	check := chunk.VerifyFooter
	if c.o.Full {
		check = chunk.Verify
	}
	for _, info := range slices.Concat(lists...) {
		if c.o.Verified.has(info, c.o.Full) {
			continue
		}
		group.Go(func() error {
			err := check(ctx, c.store, info)
			if err == nil {
				c.o.Verified.add(info, c.o.Full)
			}
			return err
		})
	}
	return group.Wait()
}

// Publish creates a manifest, which commits its generation.
//
// If the name is taken, another writer has committed, and Publish returns ErrSuperseded. Publish
// also returns ErrSuperseded if a manifest with a higher number exists: while this process was
// suspended, the next holder may have committed several generations and deleted the manifest that
// had the name. Publish then creates its manifest, but the newest manifest is never deleted. So
// Publish detects this case by listing the manifests after it has created its own manifest.
func (c *Chain) Publish(ctx context.Context, m record.Manifest) error {
	err := store.CreateSealed(ctx, c.store, record.ManifestName(m.Mapping, m.Generation), m)
	if errors.Is(err, fs.ErrExist) {
		return fmt.Errorf("%w: %w", store.ErrSuperseded, err)
	}
	if err != nil {
		return err
	}
	numbers, err := record.ManifestNumbers(ctx, c.store, m.Mapping)
	if err != nil {
		return err
	}
	if len(numbers) == 0 || numbers[0] != m.Generation {
		return fmt.Errorf("%w: generation %d is not the newest of %v", store.ErrSuperseded, m.Generation, numbers)
	}
	return nil
}

// adopt makes a published generation the base of the next pass.
func (c *Chain) adopt(m record.Manifest) (kept []record.Manifest) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.retained = c.retain(append([]record.Manifest{m}, c.retained...))
	c.newest = m.Generation
	c.o.Verified.keep(m)
	return c.retained
}

// Committed adopts the generation that a pass committed, and deletes records that no retained
// generation names.
func (c *Chain) Committed(ctx context.Context, m record.Manifest) {
	if err := sweep(ctx, c.store, c.o.Mapping, c.adopt(m)); err != nil {
		// The generation is committed all the same; the next commit sweeps again.
		c.o.Logger.Warn("old records were not all deleted", "mapping", c.o.Mapping, "err", err)
	}
}
