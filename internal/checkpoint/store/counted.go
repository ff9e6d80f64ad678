package store

import (
	"context"
	"io"
)

// Counted is a store that counts its writes, including failed writes.
type Counted struct {
	Store

	// Wrote is called before each write. It must be safe for concurrent use.
	Wrote func()
}

// Create counts and creates a record.
func (c Counted) Create(ctx context.Context, name string, write func(io.Writer) error) error {
	c.Wrote()
	return c.Store.Create(ctx, name, write)
}

// Delete counts and deletes a record.
func (c Counted) Delete(ctx context.Context, name string) error {
	c.Wrote()
	return c.Store.Delete(ctx, name)
}
