package checkpointtest

import (
	"context"
	"errors"
	"io"

	"syncd/internal/checkpoint/store"
)

// Faulty is a store that lets a test make writes fail. Before and After are called for every write;
// operation is "create" or "delete". A nil function lets every write succeed. The functions must be
// safe for concurrent use.
type Faulty struct {
	store.Store
	// Before is called before a write. If it returns an error, the write has no effect and fails
	// with that error.
	Before func(operation, name string) error
	// After is called after a write. If it returns an error, the write has taken effect but fails
	// with that error, as if its response were lost.
	After func(operation, name string) error
}

// Create creates a record unless Before returns an error.
func (f *Faulty) Create(ctx context.Context, name string, write func(io.Writer) error) error {
	return f.do("create", name, func() error { return f.Store.Create(ctx, name, write) })
}

// Delete removes a record unless Before returns an error.
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
