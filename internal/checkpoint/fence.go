package checkpoint

import (
	"context"
	"errors"
	"io/fs"
	"slices"

	"syncd/internal/checkpoint/record"
	"syncd/internal/checkpoint/store"
)

// fenceTries bounds how often the number of a fence is found taken. Each time
// another writer has committed in between.
const fenceTries = 16

// fence makes sure that a holder before, who may be alive and unaware that it
// lost the lease, commits nothing any more: it takes the number which that one's
// pass would commit. Nothing is swept, so what the pass has saved stays whole,
// and Begin goes on with it.
func (l *Ledger) fence(ctx context.Context) (err error) {
	for range fenceTries {
		if err := l.lease.Held(ctx); err != nil {
			return err
		}
		m := l.nextFence()
		err = l.publish(ctx, m)
		if err == nil {
			l.adopt(m)
			l.lease.Fenced()
			l.log.Info("writer before was fenced off", "mapping", m.Mapping, "generation", m.Generation)
			return nil
		}
		if !errors.Is(err, fs.ErrExist) {
			return err
		}
		if err := l.load(ctx); err != nil {
			return err
		}
	}
	return err
}

// nextFence repeats the base under the next number.
func (l *Ledger) nextFence() record.Manifest {
	l.mu.Lock()
	defer l.mu.Unlock()
	base := l.base()
	m := base
	m.Version, m.Mapping, m.Generation, m.Base = store.FormatVersion, l.options.Mapping, l.newest+1, base.Generation
	m.Holder, m.Writer, m.Lease = l.options.Holder, l.nonce, l.leaseAfter(base)
	m.Fence, m.FencedAt = true, l.now()
	m.Repeats = append(slices.Clone(base.Repeats), base.Generation)
	return m
}
