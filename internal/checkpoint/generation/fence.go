package generation

import (
	"context"
	"errors"
	"io/fs"
	"slices"

	"syncd/internal/checkpoint/record"
	"syncd/internal/checkpoint/store"
)

// fenceTries limits how many generation numbers fence tries. A number is taken if another writer
// has committed it in the meantime.
const fenceTries = 16

// fence prevents commits of a previous holder that may be alive and unaware that it lost the lease.
// To do so it commits a generation under the number that the previous holder would commit. It
// deletes no records, so Begin can resume what the previous pass saved.
func (c *Chain) fence(ctx context.Context) (err error) {
	for range fenceTries {
		if err := c.lease.Held(ctx); err != nil {
			return err
		}
		m := c.nextFence()
		err = c.Publish(ctx, m)
		if err == nil {
			c.adopt(m)
			c.lease.Fenced()
			c.o.Logger.Info("previous writer was fenced off", "mapping", m.Mapping, "generation", m.Generation)
			return nil
		}
		if !errors.Is(err, fs.ErrExist) {
			return err
		}
		if err := c.load(ctx); err != nil {
			return err
		}
	}
	return err
}

// nextFence returns a manifest that repeats the base under the next number.
func (c *Chain) nextFence() record.Manifest {
	c.mu.Lock()
	defer c.mu.Unlock()
	base := c.base()
	m := base
	m.Version, m.Mapping, m.Generation, m.Base = store.FormatVersion, c.o.Mapping, c.newest+1, base.Generation
	m.Holder = c.o.Holder
	c.Stamp(&m, base)
	m.Fence, m.FencedAt = true, c.Now()
	m.Repeats = append(slices.Clone(base.Repeats), base.Generation)
	return m
}
