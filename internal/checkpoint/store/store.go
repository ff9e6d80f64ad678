// Package store is the contract of a store of checkpoints: where immutable records are kept by
// name, who has the right to write them, and which errors say that a record is damaged or that the
// right is lost. store/file and store/s3 keep it, and checkpointtest.Run checks that they do.
//
// The package promises nothing of its own about durability or exclusion; it says what
// implementations must do. It holds what every store shares: which names are valid, how a record
// carries its own checksum and format version (Seal, Unseal), and how work is bound to a lease
// (Tenure).
//
// It leaves to package record what the records of a ledger say, and to package checkpoint when they
// are written.
//
// The words: a record is a whole value under a name, written once; a lease is the right to write
// under the first segment of a name, and its number rises from holder to holder.
package store

import (
	"context"
	"fmt"
	"io"
)

// Store keeps immutable records by name. A name is two or more segments joined by slashes; a
// segment begins with a letter or digit and consists of [a-z0-9._-]; the last segment is not
// "lock". Every mapping has its own first segment. Implementations pass checkpointtest.Run and are
// safe for use by several goroutines.
type Store interface {
	// String names the store for people, as in "file:/var/lib/syncd".
	fmt.Stringer

	// Read returns a whole small record. The error of an absent name satisfies errors.Is(err,
	// fs.ErrNotExist).
	Read(ctx context.Context, name string) ([]byte, error)

	// Open opens a record of any size. The error of an absent name satisfies errors.Is(err,
	// fs.ErrNotExist). An open chunk whose name is deleted stays readable, or fails with such an
	// error; it never yields other bytes. The chunk may be read until ctx ends, or that of the last
	// Bind.
	Open(ctx context.Context, name string) (Record, error)

	// Create makes a record of what write writes. It is all or nothing: no reader ever sees part of
	// a record, and it is durable on return. The error of a taken name satisfies errors.Is(err,
	// fs.ErrExist), and the record is left as it is. After any other error the record may or may
	// not exist, but if it exists it is whole. Write is called at most once.
	Create(ctx context.Context, name string, write func(io.Writer) error) error

	// List returns the names that begin with prefix, in byte order.
	List(ctx context.Context, prefix string) ([]string, error)

	// Delete removes a record. An absent name is no error.
	Delete(ctx context.Context, name string) error

	// Acquire takes the right to write under name, which is a single segment. It does not wait:
	// while another holder has it, it returns a *LeaseHeldError. Holder is shown to people, such as
	// "host/pid".
	Acquire(ctx context.Context, name, holder string) (Lease, error)

	// LeaseOf tells who has the right to write under name, without taking it. Ok is false when
	// nobody has.
	LeaseOf(ctx context.Context, name string) (info LeaseInfo, ok bool, err error)
}

// Record is an open record. It may hold memory until it is closed.
type Record interface {
	io.ReaderAt
	io.Closer
	// WriteTo writes the whole record, however much of it was read before.
	io.WriterTo
	// Size returns the length of the record in bytes.
	Size() int64
	// Bind has what is read from now on end with ctx, instead of the context before: a chunk that
	// is open for a whole pass is read by saves that come and go.
	Bind(ctx context.Context)
	// Expect says which parts are read from now on, one after the other, and each of them in many
	// pieces that need not be in order. It is a hint.
	Expect(parts []Span)
}

// Span is a part of a record: the bytes from Start up to End, which is not in it.
type Span struct{ Start, End int64 }

// Has reports whether the byte at an offset is in the span.
func (s Span) Has(offset int64) bool { return s.Start <= offset && offset < s.End }

// Length returns how many bytes there are.
func (s Span) Length() int64 { return s.End - s.Start }

// MaxRecord bounds what is read of a record at once. The largest, the manifest of a generation, has
// about 200 bytes for each chunk of a million entries.
const MaxRecord = 256 << 20

// ReadAll reads a whole record unless it is too long.
func ReadAll(r io.Reader) ([]byte, error) {
	data, err := io.ReadAll(io.LimitReader(r, MaxRecord+1))
	if len(data) > MaxRecord {
		err = ErrTooLong
	}
	return data, err
}

// ErrTooLong reports a record that is longer than MaxRecord.
var ErrTooLong = fmt.Errorf("the record is longer than %d bytes", MaxRecord)
