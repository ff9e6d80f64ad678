// Package chunk writes and reads the rows of a ledger: immutable Parquet files of entries or of
// quarantined objects, sorted by key.
//
// The package returns rows only from chunks that match the size and checksum in their manifest, and
// always in order. Each reader and writer keeps at most one row group and one page of each column
// in memory, independently of the size of the chunk. A forged chunk causes an error and uses
// bounded memory; it cannot crash the process.
//
// Package record defines the content of a row and the names of chunks. The callers choose the
// chunks of a generation.
//
// Terms: a walker reads the rows of several chunks in order, forward only. A merger walks the
// chunks of a generation together with the changes of a pass, and reuses unchanged chunks without
// reading them.
package chunk

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"

	"syncd/internal/checkpoint/record"
	"syncd/internal/checkpoint/store"
)

const (
	// rowsPerGroup and pageBytes bound the memory of a reader or writer of a chunk: one compressed
	// row group, about 1 MB, and one page of each column. A row is rarely longer than 500 bytes.
	rowsPerGroup = 8 << 10
	pageBytes    = 64 << 10

	// rowsPerRead is the number of rows decoded at once.
	rowsPerRead = 128

	// rowsPerWrite is the number of rows passed to the encoder at once. A page can exceed pageBytes
	// by rowsPerWrite values of up to 1 KiB each. A page must stay below 128 KiB, because from that
	// size the encoder keeps a history of 8 MB.
	rowsPerWrite = 32
)

// open opens the chunk named in info and reads it once from beginning to end, so that damage is
// found before any row is used.
func open(ctx context.Context, from store.Store, info record.Chunk) (store.Record, error) {
	chunk, err := from.Open(ctx, info.Name)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, &store.CorruptError{Name: info.Name, Problem: "is missing", Err: err}
	}
	if err != nil {
		return nil, fmt.Errorf("open chunk: %w", err)
	}
	if err := verifyChunk(ctx, chunk, info); err != nil {
		return nil, errors.Join(err, chunk.Close())
	}
	return chunk, nil
}

// Verify reads a chunk from end to end and checks that it matches info.
func Verify(ctx context.Context, store store.Store, info record.Chunk) error {
	chunk, err := open(ctx, store, info)
	if err != nil {
		return err
	}
	if err := chunk.Close(); err != nil {
		return fmt.Errorf("close chunk: %w", err)
	}
	return nil
}

func verifyChunk(ctx context.Context, chunk store.Record, info record.Chunk) error {
	if size := chunk.Size(); size != info.Bytes {
		return &store.CorruptError{Name: info.Name, Problem: fmt.Sprintf("has %d bytes, not %d", size, info.Bytes)}
	}
	sum := sha256.New()
	untilCanceled := writerFunc(func(p []byte) (int, error) {
		if err := ctx.Err(); err != nil {
			return 0, err
		}
		return sum.Write(p)
	})
	if _, err := chunk.WriteTo(untilCanceled); err != nil {
		return fmt.Errorf("read chunk %s: %w", info.Name, err)
	}
	if got := hex.EncodeToString(sum.Sum(nil)); got != info.SHA256 {
		return &store.CorruptError{Name: info.Name, Problem: "does not match its checksum"}
	}
	return nil
}

// writerFunc is a Write method as a function.
type writerFunc func([]byte) (int, error)

func (f writerFunc) Write(p []byte) (int, error) { return f(p) }
