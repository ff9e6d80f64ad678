// Package checkpoint keeps the ledger: the durable record of which source version was copied to
// which destination version, and with which KMS key. From the ledger, syncd determines where to
// resume a pass after a crash, what changed at the source (without requests to the destination),
// and what it may delete.
//
// A Ledger belongs to one mapping. Only the holder of the lease writes it. A generation is a
// complete ledger: a manifest and the immutable, sorted chunks that the manifest names. Creating
// the next manifest commits a generation. Readers see none of a pass's changes before its manifest
// is written, and all of them afterwards.
//
// A Pass walks one or more ranges of keys at the same time, each range in key order. Each key is
// first reserved and then settled; keys may be settled in any order. The low-water mark of a range
// is the last key of the range at or below which every key is settled. Settled keys can be saved at
// any time. If the process is killed, the next pass walks only the keys that no saved range
// includes. Memory use is bounded by the window of keys ahead of the marks and does not depend on
// the number of objects. A multipart upload in progress is recorded with its slot, so that the next
// process can resume or abort the upload, even after a crash.
//
// Other packages decide whether to copy, skip or delete an object (plan) and confirm that a
// recorded copy exists (copier). The subpackages are store (where records are stored), record (what
// records contain), chunk (the rows), generation, history and watermark.
// docs/checkpoint-format.md describes the records for other readers.
package checkpoint

import "errors"

// ErrPassEnded reports a call on a pass that was committed, abandoned or closed.
var ErrPassEnded = errors.New("pass has ended")
