// Package record defines the content of a ledger: entries and quarantined objects, the manifest of
// a generation, the progress of a pass, multipart uploads, claims and refusals. It knows their
// names in a store and their JSON form. It reads all of them except chunks, without the lease.
// docs/checkpoint-format.md describes the format for other readers.
//
// The package promises that keys are preserved byte for byte, and that a record that is damaged or
// of a later format is reported as an error and never returned.
//
// It leaves the rows of entries and quarantine to package chunk, and the writing of generations and
// passes to package checkpoint.
//
// The words: a generation is a complete ledger, described by its manifest; progress is how far the
// pass that will commit the next generation has come.
package record

import (
	"time"

	"syncd/internal/transfer"
)

// Entry is one row of the ledger: this source version was copied to that destination version. Keys
// are preserved byte for byte; ETags are opaque. Times are in UTC with microseconds, which is finer
// than S3 reports them.
type Entry struct {
	Key                  string           // key at the source, as S3 lists it
	Source               transfer.Version // version that was read and pinned at the source
	DestinationETag      string           // ETag that the destination returned
	DestinationVersionID string           // version ID that the destination returned, empty without versioning
	KeyARN               string           // KMS key that the destination returned
	BucketKey            bool             // whether an S3 Bucket Key was used
	Checksum             string           // algorithm and value that the destination returned
	CopiedAt             time.Time        // when the destination responded
	Pass                 int64            // pass that copied it; set by Slot.Record
}

// Quarantined is an object that is set aside with a reason until it is tried again.
type Quarantined struct {
	Key      string           // key at the source, as S3 lists it
	Source   transfer.Version // version that was quarantined
	Reason   string           // short, from a bounded set, usable as a metric label
	Detail   string           // sentence for operators, without secrets
	FirstAt  time.Time        // when this source version was first quarantined
	LastAt   time.Time        // when it was last quarantined
	Attempts int64            // how often it was tried, over all passes
	Pass     int64            // pass that last quarantined it; set by Slot.Quarantine

	// What syncd may have written at the destination although the ledger has no entry for it.
	DestinationETag string    // of an earlier copy that had an entry and may still exist; "" for none
	WrittenSince    time.Time // earliest time of a copy whose response was lost; zero: none
}
