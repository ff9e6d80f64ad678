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
	"errors"
)

var (
	// ErrPassEnded reports a call on a pass that was committed, abandoned or closed.
	ErrPassEnded = errors.New("pass has ended")
)
