// Package checkpoint keeps the ledger: the durable record of which source
// version was copied to which destination version, under which key. The same
// record answers where a pass may resume after a crash, what changed at the
// source without asking the destination, and what syncd may delete.
//
// A Ledger belongs to one mapping and is written by one holder of the lease. A
// generation is a whole ledger: a manifest and the immutable, sorted chunks it
// names. One write, the creation of the next manifest, makes a generation true;
// before it nothing of a pass is visible, after it everything is.
//
// A Pass walks the keys in order. Every key is reserved, then settled in any
// order; the low-water mark is the last key at or below which every key is
// settled. What is settled up to the mark can be saved at any time, and a pass
// that was killed resumes behind the mark it saved last. Memory is bounded by
// the window of unsettled keys, never by the number of objects. A multipart upload
// under way is remembered with its slot, so that the next process goes on with it
// or aborts it, however this one ends; that of an object which is set aside may be
// kept for the next pass.
//
// The package leaves to others what an object is worth: whether to copy, skip or
// delete is decided by the plan, and the copier vouches for what it records.
// docs/checkpoint-format.md describes the records for other readers.
package checkpoint

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"syncd/internal/transfer"
)

var (
	// ErrNoCheckpoint reports that a mapping has no committed generation yet.
	ErrNoCheckpoint = errors.New("no checkpoint")

	// ErrLeaseLost reports that the right to write was lost or given back.
	ErrLeaseLost = errors.New("lease lost")

	// ErrSuperseded reports that another writer has gone on from the generation
	// that this one started from. Its ledger can write nothing any more.
	ErrSuperseded = errors.New("superseded by another writer")

	// ErrNothingWhole reports that a mapping has generations and each of them is
	// damaged. See Options.StartOver.
	ErrNothingWhole = errors.New("no generation is whole")

	// ErrPassEnded reports a call on a pass that was committed, abandoned or closed.
	ErrPassEnded = errors.New("pass has ended")
)

// Entry is one row of the ledger: this source version was copied to that
// destination version. Keys are bytes and are kept exactly; ETags are opaque.
// Times are kept in UTC to the microsecond, which is finer than S3 reports them.
type Entry struct {
	Key                  string           // key at the source, as S3 lists it
	Source               transfer.Version // version that was read and pinned at the source
	DestinationETag      string           // ETag the destination answered
	DestinationVersionID string           // version the destination answered, empty without versioning
	KeyARN               string           // KMS key the destination answered
	BucketKey            bool             // whether an S3 Bucket Key was used
	Checksum             string           // algorithm and value the destination answered
	CopiedAt             time.Time        // when the destination answered
	Pass                 int64            // pass that copied it; set by Slot.Record
}

// Quarantined is one object set aside with a reason until it is tried again.
type Quarantined struct {
	Key      string           // key at the source, as S3 lists it
	Source   transfer.Version // version that was set aside
	Reason   string           // short, from a bounded set, fit for a metric label
	Detail   string           // sentence for people, free of secrets
	FirstAt  time.Time        // when this source version was set aside first
	LastAt   time.Time        // when it was set aside last
	Attempts int64            // how often it was tried, over all passes
	Pass     int64            // pass that set it aside last; set by Slot.Quarantine

	// What of the destination is syncd's own although the ledger has no entry of it.
	DestinationETag string    // of the copy that the ledger had an entry of, and that may still be there; "" for none
	WrittenSince    time.Time // since when a copy may have been written whose answer was lost; zero: none was
}

// Store keeps immutable records by name. A name is two or more segments joined
// by slashes; a segment begins with a letter or digit and consists of
// [a-z0-9._-]; the last segment is not "lock". Every mapping has its own first
// segment. Implementations pass checkpointtest.Run and are safe for use by
// several goroutines.
type Store interface {
	// String names the store for people, as in "file:/var/lib/syncd".
	fmt.Stringer

	// Read returns a whole small record. The error of an absent name satisfies
	// errors.Is(err, fs.ErrNotExist).
	Read(ctx context.Context, name string) ([]byte, error)

	// Open opens a record of any size. The error of an absent name satisfies
	// errors.Is(err, fs.ErrNotExist). An open chunk whose name is deleted stays
	// readable, or fails with such an error; it never yields other bytes. The
	// chunk may be read until ctx ends, or that of the last Bind.
	Open(ctx context.Context, name string) (Chunk, error)

	// Create makes a record of what write writes. It is all or nothing: no
	// reader ever sees part of a record, and it is durable on return. The error
	// of a taken name satisfies errors.Is(err, fs.ErrExist), and the record is
	// left as it is. After any other error the record may or may not exist, but
	// if it exists it is whole. Write is called at most once.
	Create(ctx context.Context, name string, write func(io.Writer) error) error

	// List returns the names that begin with prefix, in byte order.
	List(ctx context.Context, prefix string) ([]string, error)

	// Delete removes a record. An absent name is no error.
	Delete(ctx context.Context, name string) error

	// Acquire takes the right to write under name, which is a single segment.
	// It does not wait: while another holder has it, it returns a
	// *LeaseHeldError. Holder is shown to people, such as "host/pid".
	Acquire(ctx context.Context, name, holder string) (Lease, error)

	// LeaseOf tells who has the right to write under name, without taking it.
	// Ok is false when nobody has.
	LeaseOf(ctx context.Context, name string) (info LeaseInfo, ok bool, err error)
}

// LeaseInfo tells who holds a lease.
type LeaseInfo struct {
	Holder string    // as given to Acquire, empty when unknown
	Since  time.Time // when it was taken, zero when unknown
	Until  time.Time // when it expires unless it is renewed, zero: held until released
}

// Chunk is an open record. It may hold memory until it is closed.
type Chunk interface {
	io.ReaderAt
	io.Closer
	// WriteTo writes the whole record, however much of it was read before.
	io.WriterTo
	// Size returns the length of the record in bytes.
	Size() int64
	// Bind has what is read from now on end with ctx, instead of the context before: a chunk that is open for a whole pass is read by
	// saves that come and go.
	Bind(ctx context.Context)
	// Expect says which parts are read from now on, one after the other, and each of them in many pieces that need not be in order.
	// It is a hint.
	Expect(parts []Span)
}

// Span is a part of a record: the bytes from Start up to End, which is not in it.
type Span struct{ Start, End int64 }

// Has reports whether the byte at an offset is in the span.
func (s Span) Has(offset int64) bool { return s.Start <= offset && offset < s.End }

// Length returns how many bytes there are.
func (s Span) Length() int64 { return s.End - s.Start }

// Lease is the right to write under one name of a Store.
type Lease interface {
	// Held returns nil while the lease is held, else an error that satisfies
	// errors.Is(err, ErrLeaseLost). The ledger asks before it writes.
	Held(ctx context.Context) error
	// Bound returns a context that ends with ctx, or when the lease does as far as this process knows without asking: then its
	// cause satisfies errors.Is(err, ErrLeaseLost). What has an effect outside the ledger runs under it. Release frees what it
	// holds.
	Bound(ctx context.Context) (bound context.Context, release context.CancelFunc)
	// Confirm returns nil when the lease is held, after asking the store where another holder could have taken it unnoticed.
	Confirm(ctx context.Context) error
	// Number ascends from holder to holder, so that one who lost the lease and does
	// not know it gives way to what a later one has written. It is 0 where a lease
	// cannot be lost to another.
	Number() int64
	// TakenOver reports whether a holder before did not give the lease back, and
	// nobody has called Fenced since. That holder may be alive and unaware.
	TakenOver() bool
	// Fenced says that the holder before can commit nothing any more. A lease that
	// was taken over and is released without Fenced hands TakenOver on.
	Fenced()
	// Release gives the lease back. It is idempotent.
	Release() error
}

// LeaseOf tells who writes a mapping's ledger, without the lease. Ok is false
// when nobody does. An Until that has gone by means that the holder vanished.
func LeaseOf(ctx context.Context, store Store, mapping string) (info LeaseInfo, ok bool, err error) {
	return store.LeaseOf(ctx, mapping)
}

// LeaseHeldError reports that another holder has the right to write.
type LeaseHeldError struct {
	Name   string    // what the lease is for: the mapping
	Holder string    // who holds it, empty when unknown
	Since  time.Time // when it was taken, zero when unknown
	Until  time.Time // when it expires by itself, zero: held until released
}

// Error names the lease and its holder.
func (e *LeaseHeldError) Error() string {
	text := fmt.Sprintf("lease on %q is held", e.Name)
	if e.Holder != "" {
		text += fmt.Sprintf(" by %q", e.Holder)
	}
	if !e.Since.IsZero() {
		text += " since " + e.Since.UTC().Format(time.RFC3339)
	}
	if !e.Until.IsZero() {
		text += " until " + e.Until.UTC().Format(time.RFC3339)
	}
	return text
}

// HasNoLedger reports whether err is that a mapping has no ledger at all, and not that nothing of its ledger is whole.
func HasNoLedger(err error) bool {
	return errors.Is(err, ErrNoCheckpoint) && !errors.Is(err, ErrNothingWhole)
}

// IsLeaseHeld reports whether err is that another holder has the right to write.
func IsLeaseHeld(err error) bool {
	_, ok := errors.AsType[*LeaseHeldError](err)
	return ok
}

// CorruptError reports a record that is damaged or missing. Nothing of a
// damaged record is ever returned as data.
type CorruptError struct {
	Name    string // name of the record in its store
	Problem string // what is wrong with it
	Err     error  // the cause, when there is one
}

// Error names the record and the problem.
func (e *CorruptError) Error() string {
	if e.Err != nil {
		return fmt.Sprintf("record %s is damaged: %s: %v", e.Name, e.Problem, e.Err)
	}
	return fmt.Sprintf("record %s is damaged: %s", e.Name, e.Problem)
}

// Unwrap returns the cause.
func (e *CorruptError) Unwrap() error { return e.Err }

// VersionError reports a record written in a later format than this build
// reads. It is never taken for damage: falling back would lose the later work.
type VersionError struct {
	Name    string // name of the record in its store
	Version int    // its format version
	Known   int    // the latest version this build reads
}

// Error names the record and both versions.
func (e *VersionError) Error() string {
	return fmt.Sprintf("record %s has format version %d; this build reads up to %d: use a newer syncd",
		e.Name, e.Version, e.Known)
}
