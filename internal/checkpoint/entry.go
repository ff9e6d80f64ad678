package checkpoint

import (
	"time"

	"syncd/internal/transfer"
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
