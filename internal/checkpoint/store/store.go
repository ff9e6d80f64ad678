// Package store defines the contract of a checkpoint store: how immutable records are stored by
// name, which process has the right to write them, and which errors report a damaged record or a
// lost lease. Packages store/file and store/s3 implement the contract, and checkpointtest.Run tests
// implementations.
//
// The interfaces state what implementations must guarantee; this package itself provides no
// durability or exclusion. It implements the functions that all stores share: the check of names
// (CheckName), records with a checksum and a format version (Seal, Unseal), and contexts that end
// with a lease (Tenure).
//
// Package record defines the content of a ledger's records, and package checkpoint decides when
// they are written.
//
// Terms: a record is a value that is written once under a name. A lease is the right to write
// records whose names have a given first segment; its number increases with each holder.
package store

import (
	"context"
	"fmt"
	"io"
)

// Store stores immutable records by name. A name is two or more segments joined by slashes. A
// segment begins with a letter or digit and consists of [a-z0-9._-]; the last segment is not
// "lock". The first segment is the mapping. Implementations must pass checkpointtest.Run and be
// safe for concurrent use.
type Store interface {
	// String names the store for users, such as "file:/var/lib/syncd".
	fmt.Stringer

	// Read returns a small record. If the name is absent, the error satisfies errors.Is(err,
	// fs.ErrNotExist).
	Read(ctx context.Context, name string) ([]byte, error)

	// Open opens a record of any size. It reads at most the end of the record. If the name is absent, the error satisfies errors.Is(err,
	// fs.ErrNotExist). If the record is deleted while it is open, reads either still return its
	// bytes or return such an error; they never return other bytes. The record can be read until
	// ctx, or the context of the last Bind, ends.
	//
	// The parameter end is how many bytes at the end of the record the caller reads first. If
	// opening sends a request, the request reads these bytes. 0 stands for any number.
	Open(ctx context.Context, name string, end int64) (Record, error)

	// Create creates a record from the bytes that write writes. It is atomic: readers never see
	// part of a record, and the record is durable when Create returns. If the name is taken, the
	// error satisfies errors.Is(err, fs.ErrExist) and the record is unchanged. After any other
	// error the record may or may not exist, but if it exists it is complete. Create calls write at
	// most once.
	Create(ctx context.Context, name string, write func(io.Writer) error) error

	// List returns the names that begin with prefix, in byte order.
	List(ctx context.Context, prefix string) ([]string, error)

	// Delete removes a record. It returns nil if the name is absent.
	Delete(ctx context.Context, name string) error

	// Acquire acquires the lease on name, which is a single segment. It does not wait: if another
	// process holds the lease, it returns a *LeaseHeldError. The text holder, such as "host/pid",
	// identifies the caller to users.
	Acquire(ctx context.Context, name, holder string) (Lease, error)

	// LeaseOf returns who holds the lease on name, without acquiring the lease. The result ok is
	// false if no process holds the lease.
	LeaseOf(ctx context.Context, name string) (info LeaseInfo, ok bool, err error)
}

// Record is an open record. It can use memory until it is closed, but at most 256 KiB.
type Record interface {
	// ReadAt reads a part of the record. On S3 it sends one request, whatever the length of the
	// part, unless Open has read the part.
	io.ReaderAt
	io.Closer
	// WriteTo writes the whole record, regardless of what was read before.
	io.WriterTo
	// Size returns the length of the record in bytes.
	Size() int64
	// Bind replaces the context of later reads with ctx. A chunk can stay open for a whole pass,
	// while each read has its own context.
	Bind(ctx context.Context)
}

// Span is a part of a record: the bytes from Start up to, but not including, End.
type Span struct{ Start, End int64 }

// Has reports whether the span includes the byte at an offset.
func (s Span) Has(offset int64) bool { return s.Start <= offset && offset < s.End }

// Length returns the number of bytes in the span.
func (s Span) Length() int64 { return s.End - s.Start }

// MaxRecord is the maximum length in bytes of a record that is read into memory as a whole. The
// largest record, the manifest of a generation, has about 350 bytes for each chunk of 65,536
// entries.
const MaxRecord = 256 << 20

// ReadAll reads r to its end. It returns ErrTooLong if r has more than MaxRecord bytes.
func ReadAll(r io.Reader) ([]byte, error) {
	data, err := io.ReadAll(io.LimitReader(r, MaxRecord+1))
	if len(data) > MaxRecord {
		err = ErrTooLong
	}
	return data, err
}

// ErrTooLong reports a record that is longer than MaxRecord.
var ErrTooLong = fmt.Errorf("record is longer than %d bytes", MaxRecord)
