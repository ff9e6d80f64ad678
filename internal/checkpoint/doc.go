// Package checkpoint keeps the ledger: the durable record of which source version was copied to
// which destination version, under which key. The same record answers where a pass may resume after
// a crash, what changed at the source without asking the destination, and what syncd may delete.
//
// A Ledger belongs to one mapping and is written by one holder of the lease. A generation is a
// whole ledger: a manifest and the immutable, sorted chunks it names. One write, the creation of
// the next manifest, makes a generation true; before it nothing of a pass is visible, after it
// everything is.
//
// A Pass walks the keys in order. Every key is reserved, then settled in any order; the low-water
// mark is the last key at or below which every key is settled. What is settled up to the mark can
// be saved at any time, and a pass that was killed resumes after the mark it saved last. Memory is
// bounded by the window of unsettled keys, never by the number of objects. A multipart upload in
// progress is recorded with its slot, so that the next process resumes or aborts it, however this
// one ends.
//
// The package leaves to others whether to copy, skip or delete an object (plan), and that a
// recorded copy exists (copier). Below it are store (where records are kept), record (what they
// say), chunk (the rows), generation, history, overlay and watermark. docs/checkpoint-format.md
// describes the records for other readers.
package checkpoint

import "errors"

// ErrPassEnded reports a call on a pass that was committed, abandoned or closed.
var ErrPassEnded = errors.New("pass has ended")
