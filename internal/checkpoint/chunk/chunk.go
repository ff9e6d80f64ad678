// Package chunk writes and reads the rows of a ledger: immutable Parquet files of entries or of
// quarantined objects, sorted by key.
//
// The package returns rows only from chunks that match the size and checksums in their manifest, and
// always in order. A chunk is opened by its footer, which has a checksum of each row group. A row
// group is read once, as a whole, and verified before its rows are decoded. Each reader and writer
// keeps at most one compressed row group and one page of each column in memory, independently of
// the size of the chunk. A forged chunk causes an error and uses bounded memory; it cannot crash the
// process.
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
	// row group, about 200 KB, and one page of each column. A row is rarely longer than 500 bytes.
	rowsPerGroup = 2 << 10
	pageBytes    = 12 << 10

	// largestGroup bounds a compressed row group, in bytes. Only rows with the longest keys and
	// values come near to it.
	largestGroup = 32 << 20

	// keyColumn is the number of the column of keys.
	keyColumn = 0

	// readBytes is the size of the buffer from which a reader decodes the page headers of a column.
	readBytes = 512

	// rowsPerRead is the number of rows decoded at once.
	rowsPerRead = 64

	// rowsPerWrite is the number of rows passed to the encoder at once. A page can exceed pageBytes
	// by rowsPerWrite values of up to 1 KiB each. A page must stay below 128 KiB, because from that
	// size the encoder keeps a history of 8 MB.
	rowsPerWrite = 32
)

// open opens the chunk named in info, and checks its size.
func open(ctx context.Context, from store.Store, info record.Chunk) (store.Record, error) {
	chunk, err := from.Open(ctx, info.Name)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, &store.CorruptError{Name: info.Name, Problem: "is missing", Err: err}
	}
	if err != nil {
		return nil, fmt.Errorf("open chunk: %w", err)
	}
	if size := chunk.Size(); size != info.Bytes {
		damage := &store.CorruptError{Name: info.Name, Problem: fmt.Sprintf("has %d bytes, not %d", size, info.Bytes)}
		return nil, errors.Join(damage, chunk.Close())
	}
	return chunk, nil
}

// Verify reads a chunk from end to end and checks that it matches info.
func Verify(ctx context.Context, from store.Store, info record.Chunk) error {
	return verify(ctx, from, info, func(chunk store.Record) error { return checkWhole(ctx, chunk, info) })
}

// VerifyFooter checks that a chunk exists, and that its size and its footer match info. Damage to
// the rows is found when they are read.
func VerifyFooter(ctx context.Context, from store.Store, info record.Chunk) error {
	return verify(ctx, from, info, func(chunk store.Record) error {
		_, err := readFooter(chunk, info)
		return err
	})
}

func verify(ctx context.Context, from store.Store, info record.Chunk, check func(store.Record) error) error {
	chunk, err := open(ctx, from, info)
	if err != nil {
		return err
	}
	return errors.Join(check(chunk), chunk.Close())
}

func checkWhole(ctx context.Context, chunk store.Record, info record.Chunk) error {
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
