package checkpointtest

import (
	"context"
	"errors"
	"io"

	"syncd/internal/checkpoint/store"
)

// Faulty is a store whose writes a test can fail. Before and After are called for every "create"
// and "delete"; a nil function fails none. They may be called concurrently.
type Faulty struct {
	store.Store
	// Before returns the error of a write that takes no effect.
	Before func(operation, name string) error
	// After returns the error of a write that took effect, as if its response were lost.
	After func(operation, name string) error
}

// Create creates a record unless the test fails it.
func (f *Faulty) Create(ctx context.Context, name string, write func(io.Writer) error) error {
	return f.do("create", name, func() error { return f.Store.Create(ctx, name, write) })
}

// Delete removes a record unless the test fails it.
func (f *Faulty) Delete(ctx context.Context, name string) error {
	return f.do("delete", name, func() error { return f.Store.Delete(ctx, name) })
}

func (f *Faulty) do(operation, name string, call func() error) error {
	if f.Before != nil {
		if err := f.Before(operation, name); err != nil {
			return err
		}
	}
	err := call()
	if f.After != nil {
		err = errors.Join(err, f.After(operation, name))
	}
	return err
}
