// Package chunk writes and reads the rows of a ledger: immutable Parquet files of entries or of
// quarantined objects, sorted by key.
//
// The package promises that no row is returned of a chunk that does not match the size and checksum
// its manifest names, that rows are in order, and that neither a reader nor a writer holds more
// than one row group and one page of each column, however large the chunk is. A chunk that somebody
// has forged costs an error and bounded memory, not a crash.
//
// It leaves to package record what is in a row and how chunks are named, and to its callers which
// chunks make a generation.
//
// The words: a walker goes over the rows of several chunks in order and forward only; a merger
// walks the chunks of a generation in step with the changes of a pass, and hands on unread those in
// which nothing changed.
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
	// rowsPerGroup and pageBytes bound what a reader or writer of a chunk holds in memory: one row
	// group compressed, about 1 MB, and one page of each column. A row is rarely above 500 bytes.
	rowsPerGroup = 8 << 10
	pageBytes    = 64 << 10

	// rowsPerRead is how many rows are decoded at once.
	rowsPerRead = 128

	// rowsPerWrite is how many rows are handed to the encoder at once. A page may be longer by so
	// many values of up to 1 KiB: it stays below 128 KiB, from which on the encoder keeps a history
	// of 8 MB.
	rowsPerWrite = 32
)

// open opens the chunk that info names and reads it once from end to end, so that a flipped byte is
// found before any row is believed.
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

// Verify reads a chunk from end to end to see that it is what info says.
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

// writerFunc is a Write method on its own.
type writerFunc func([]byte) (int, error)

func (f writerFunc) Write(p []byte) (int, error) { return f(p) }
