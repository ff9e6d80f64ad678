// Package listing reads a bucket's objects in key order, from wherever they are listed.
//
// It promises an ordered sequence: keys strictly ascending by their bytes, each exactly as the
// service stores it, none cleaned, joined or dropped. A service that answers out of order is
// refused with an error, because everything above (the merge with the ledger, deletes, resuming)
// rests on the order. An error in the middle ends the sequence with that error; it is never
// mistaken for the end of the bucket.
//
// It leaves to others what an object means: filters and comparisons are the plan's.
//
// Two words: an [Object] is one line of a listing, not the object's content; a [Range] is a
// half-open interval of keys.
package listing

import "syncd/internal/transfer"

// Object is one object as a listing shows it.
type Object struct {
	// Key is the object's key, byte for byte.
	Key string
	// Version is the version that was listed.
	transfer.Version
	// StorageClass is the storage class as the service names it; empty where a service names none.
	StorageClass string
}

// Range is a half-open interval of keys: those behind After, up to and including Until. The zero
// Range holds all keys.
type Range struct {
	// After is exclusive; "" starts at the first key.
	After string
	// Until is inclusive; "" means no end.
	Until string
}

// Contains reports whether key lies in the range.
func (r Range) Contains(key string) bool {
	return key > r.After && (r.Until == "" || key <= r.Until)
}
