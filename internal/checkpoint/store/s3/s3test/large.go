package s3test

import (
	"context"
	"io"
	"math/rand/v2"

	"syncd/internal/checkpoint/store"
)

// Large returns data that is longer than one part and cannot be compressed.
func Large() []byte {
	data := make([]byte, 19<<20+123)
	_, _ = rand.NewChaCha8([32]byte{}).Read(data)
	return data
}

// CreateLarge creates a record of data in many writes.
func CreateLarge(ctx context.Context, store store.Store, name string, data []byte) error {
	return store.Create(ctx, name, func(w io.Writer) error {
		for rest := data; len(rest) > 0; {
			n, err := w.Write(rest[:min(len(rest), 100_001)])
			if err != nil {
				return err
			}
			rest = rest[n:]
		}
		return nil
	})
}
