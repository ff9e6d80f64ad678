// Package record defines the content of a ledger: entries and quarantined objects, the manifest of
// a generation, the progress of a pass, multipart uploads, claims and refusals. The package defines
// the names of these records in a store and their JSON form. It reads all records except chunks.
// Reading does not need the lease. docs/checkpoint-format.md describes the format for other
// readers.
//
// The package guarantees that keys are preserved byte for byte, and that reading a record that is
// damaged or in another format returns an error.
//
// Package chunk reads and writes the rows of entries and quarantine, and package checkpoint writes
// generations and passes.
//
// Terms: a generation is a complete ledger, described by its manifest. Progress records which keys
// a pass has settled before the pass commits the next generation.
package record

import (
	"time"

	"syncd/internal/transfer"
)

// Entry is one row of the ledger. It records that a source version was copied to a destination
// version. Keys are preserved byte for byte; ETags are opaque. Times are in UTC, truncated to
// microseconds; the times that S3 reports are less precise.
type Entry struct {
	Key                  string           // key at the source, as S3 lists it
	Source               transfer.Version // version that was copied; every read requested exactly this version
	DestinationETag      string           // ETag that the destination returned
	DestinationVersionID string           // version ID that the destination returned, empty without versioning
	KeyARN               string           // KMS key that the destination returned
	BucketKey            bool             // whether an S3 Bucket Key was used
	Checksum             string           // algorithm and value that the destination returned
	CopiedAt             time.Time        // when the destination responded
	Pass                 int64            // pass that made the copy; set by Slot.Record
	// Missed is the number of passes with deletes, up to the last one, whose complete listing of the
	// source did not have the key. It is 0 if the last pass listed the key, and NeverDeleted if the
	// copy is kept in any case. MissedIn is the last pass that Missed counts, 0 for none.
	Missed   int64
	MissedIn int64
}

// NeverDeleted is the Missed of a copy that is never deleted, because syncd did not write it from this
// source key: it was adopted, or made from another source key under former settings.
const NeverDeleted = -1

// Quarantined is an object in quarantine, with the reason. A later pass tries it again.
type Quarantined struct {
	Key      string           // key at the source, as S3 lists it
	Source   transfer.Version // version that was quarantined
	Reason   string           // short, from a bounded set, usable as a metric label
	Detail   string           // sentence for operators, without secrets
	FirstAt  time.Time        // when this source version was first quarantined
	LastAt   time.Time        // when this source version was last quarantined
	Attempts int64            // how often this source version was tried, over all passes
	Pass     int64            // pass that last quarantined the object; set by Slot.Quarantine

	// The next two fields describe copies at the destination that syncd may have written and that
	// have no entry in the ledger now.
	DestinationETag string    // ETag of an earlier copy that had an entry and may still exist; "" for none
	WrittenSince    time.Time // earliest time of a copy whose response was lost; zero if there is none
}

// Rows are the rows that a ledger has for one key, nil for none.
type Rows struct {
	Entry       *Entry
	Quarantined *Quarantined
}
