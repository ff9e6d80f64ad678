package checkpointtest

import (
	"context"
	"io"

	"syncd/internal/checkpoint/store"
)

// Put creates the record name with the given content.
func Put(ctx context.Context, store store.Store, name, content string) error {
	return store.Create(ctx, name, func(w io.Writer) error {
		_, err := io.WriteString(w, content)
		return err
	})
}
