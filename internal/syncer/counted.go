package syncer

import (
	"context"
	"io"

	"syncd/internal/checkpoint/store"
)

// counted is a store that counts its writes, including failed writes.
type counted struct {
	store.Store
	count func()
}

// Create counts and creates a record.
func (c counted) Create(ctx context.Context, name string, write func(io.Writer) error) error {
	c.count()
	return c.Store.Create(ctx, name, write)
}

// Delete counts and deletes a record.
func (c counted) Delete(ctx context.Context, name string) error {
	c.count()
	return c.Store.Delete(ctx, name)
}
