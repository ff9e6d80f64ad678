package checkpoint

import (
	"context"
	"errors"
	"fmt"
	"io/fs"

	"syncd/internal/checkpoint/chunk"
	"syncd/internal/checkpoint/record"
	"syncd/internal/checkpoint/store"
)

// load reads the generations that are kept, newest first.
func (l *Ledger) load(ctx context.Context) error {
	numbers, err := record.ManifestNumbers(ctx, l.store, l.options.Mapping)
	if err != nil {
		return err
	}
	kept, damage, err := l.readGenerations(ctx, numbers)
	if err != nil {
		return err
	}
	// A folder counts no leases: what was moved there from S3 has numbers that say nothing.
	if n := l.lease.Number(); n > 0 && len(kept) > 0 && kept[0].Lease > n {
		// Without this a holder that slept could fence off the one that fenced it off.
		return fmt.Errorf("%w: generation %d was written under lease %d, after this one, %d",
			store.ErrSuperseded, kept[0].Generation, kept[0].Lease, l.lease.Number())
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.kept, l.newest, l.startedOver = kept, 0, 0
	if len(numbers) > 0 {
		l.newest = numbers[0]
	}
	switch {
	case len(kept) == 0 && len(damage) > 0 && !l.options.StartOver:
		return fmt.Errorf("%w: %w", record.ErrNothingWhole, errors.Join(damage...))
	case len(kept) == 0 && len(damage) > 0:
		l.startedOver = l.newest
		l.log.Warn("ledger was started over", "mapping", l.options.Mapping, "newest", l.newest)
	case l.base().Generation != l.newest:
		l.log.Warn("fell back to an earlier generation", "mapping", l.options.Mapping,
			"generation", l.base().Generation, "newest", l.newest)
	}
	return nil
}

// readGenerations reads manifests, newest first, until those that are kept are
// together. Those that are damaged it passes over.
func (l *Ledger) readGenerations(ctx context.Context, numbers []int64) (kept []record.Manifest, damage []error, err error) {
	for _, n := range numbers {
		if len(kept) > 0 && n <= kept[0].StartedOver {
			break
		}
		m, err := record.ReadManifest(ctx, l.store, l.options.Mapping, n)
		if err == nil && len(kept) == 0 {
			err = l.verify(ctx, m.Chunks, m.QuarantineChunks)
		}
		_, isDamage := errors.AsType[*store.CorruptError](err)
		switch {
		case isDamage:
			l.log.Warn("generation was damaged", "mapping", l.options.Mapping, "generation", n, "err", err)
			damage = append(damage, err)
		case errors.Is(err, fs.ErrNotExist):
			continue // a holder before is still sweeping
		case err != nil:
			return nil, nil, err
		default:
			all := append(kept, m)
			if kept = l.retain(all); len(kept) < len(all) && !m.Fence {
				return kept, damage, nil
			}
		}
	}
	return kept, damage, nil
}

// retain returns those of all generations that are kept, newest first: the
// newest, then those that a pass made, as many as Options say and until they have
// the age that Options say. Fences do not count, so that a process that dies
// again and again does not push out the generations it repeats.
func (l *Ledger) retain(all []record.Manifest) (kept []record.Manifest) {
	passes := 0
	for i, m := range all {
		if i > 0 && m.Fence {
			continue
		}
		if !m.Fence && !l.keeps(m, passes) {
			break
		}
		if !m.Fence {
			passes++
		}
		kept = append(kept, m)
	}
	return kept
}

// keeps reports whether a generation is kept behind so many newer ones.
func (l *Ledger) keeps(m record.Manifest, newer int) bool {
	return newer < l.options.KeepGenerations || l.now().Sub(m.CommittedAt) < l.options.KeepFor
}

// verify reads chunks end to end, unless this process has.
func (l *Ledger) verify(ctx context.Context, lists ...[]record.Chunk) error {
	for _, chunks := range lists {
		for _, info := range chunks {
			if l.options.Verified.has(info) {
				continue
			}
			if err := chunk.Verify(ctx, l.store, info); err != nil {
				return err
			}
			l.options.Verified.add(info)
		}
	}
	return nil
}

// publish creates a manifest, which makes its generation true.
//
// A name that is taken says that another writer has been here. So does a higher
// number: where this process slept so long that the next holder has committed
// several generations and swept the first of them, its name is free again. The
// newest manifest is never swept, so a look after the creation sees it.
func (l *Ledger) publish(ctx context.Context, m record.Manifest) error {
	err := store.CreateSealed(ctx, l.store, record.ManifestName(m.Mapping, m.Generation), m)
	if errors.Is(err, fs.ErrExist) {
		return fmt.Errorf("%w: %w", store.ErrSuperseded, err)
	}
	if err != nil {
		return err
	}
	numbers, err := record.ManifestNumbers(ctx, l.store, m.Mapping)
	if err != nil {
		return err
	}
	if len(numbers) == 0 || numbers[0] != m.Generation {
		return fmt.Errorf("%w: generation %d is not the newest of %v", store.ErrSuperseded, m.Generation, numbers)
	}
	return nil
}

// adopt takes a generation that was published for the base of the next pass.
func (l *Ledger) adopt(m record.Manifest) (kept []record.Manifest) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.kept = l.retain(append([]record.Manifest{m}, l.kept...))
	l.newest = m.Generation
	l.options.Verified.keep(m)
	return l.kept
}

// committed adopts the generation that a pass made, and clears away what no kept
// generation names.
func (l *Ledger) committed(ctx context.Context, m record.Manifest) {
	if err := sweep(ctx, l.store, l.options.Mapping, l.adopt(m)); err != nil {
		// The generation is true all the same; the next commit sweeps again.
		l.log.Warn("old records were not all deleted", "mapping", l.options.Mapping, "err", err)
	}
}
