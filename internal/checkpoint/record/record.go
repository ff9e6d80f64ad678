// Package record is what a ledger says, as types: entries and quarantined objects, the manifest of
// a generation, the progress of a pass, multipart uploads, claims and refusals. It knows their
// names in a store and their JSON form, and reads those that are not chunks without the lease.
// docs/checkpoint-format.md describes the same for other readers.
//
// The package promises that keys survive every form byte for byte, and that a record which is
// damaged, or of a later format, is reported as such and never returned.
//
// It leaves the rows of entries and quarantine to package chunk, and the writing of generations and
// passes to package checkpoint.
//
// The words: a generation is a whole ledger, described by its manifest; progress is how far a pass
// has come that will make the next.
package record

import (
	"time"

	"syncd/internal/transfer"
)

// Entry is one row of the ledger: this source version was copied to that destination version. Keys
// are bytes and are kept exactly; ETags are opaque. Times are kept in UTC to the microsecond, which
// is finer than S3 reports them.
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
