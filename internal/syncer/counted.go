package syncer

import (
	"context"
	"io"

	"syncd/internal/checkpoint/store"
)

// counted is a store whose writes are counted, tried or done.
type counted struct {
	store.Store
	count func()
}

// Create counts a record that is made.
func (c counted) Create(ctx context.Context, name string, write func(io.Writer) error) error {
	c.count()
	return c.Store.Create(ctx, name, write)
}

// Delete counts a record that is removed.
func (c counted) Delete(ctx context.Context, name string) error {
	c.count()
	return c.Store.Delete(ctx, name)
}
