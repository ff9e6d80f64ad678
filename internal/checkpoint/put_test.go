package checkpoint_test

import (
	"context"
	"io"

	"syncd/internal/checkpoint"
)

// createIn creates a record of that content.
func createIn(ctx context.Context, store checkpoint.Store, name, content string) error {
	return store.Create(ctx, name, func(w io.Writer) error {
		_, err := io.WriteString(w, content)
		return err
	})
}
