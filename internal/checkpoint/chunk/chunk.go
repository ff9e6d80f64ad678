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
// Terms: a run is a sorted sequence of rows in one or more chunks; newer runs override older ones. A
// walker reads the rows of a run in order, forward only.
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

// open opens the chunk named in info, and checks its size.
func open(ctx context.Context, from store.Store, info record.Chunk) (store.Record, error) {
	chunk, err := from.Open(ctx, info.Name, openedAt(info))
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

// smallChunk is the size in bytes up to which a chunk is read when it is opened.
const smallChunk = 256 << 10

// openedAt returns how many bytes at the end of a chunk are read when it is opened: the footer, or
// all of a small chunk.
func openedAt(info record.Chunk) int64 {
	if info.Bytes <= smallChunk {
		return info.Bytes
	}
	return info.Footer
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
