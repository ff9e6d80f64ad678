// Package listing reads a bucket's objects in key order from any source of listings.
//
// It promises an ordered sequence: keys strictly ascending in byte order, each exactly as the
// service stores it, and none normalized, merged or dropped. If a service returns keys out of
// order, the listing fails, because everything above it (the merge with the ledger, deletes,
// resuming) relies on the order. An error ends the sequence; it is never mistaken for the end of
// the bucket.
//
// What an object means is decided elsewhere: filters and comparisons belong to the plan.
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
	// StorageClass is the storage class that the service reports, empty if none.
	StorageClass string
}

// Range is a half-open interval of keys: those after After, up to and including Until. The zero
// Range contains all keys.
type Range struct {
	// After is exclusive; "" starts at the first key.
	After string
	// Until is inclusive; "" means no end.
	Until string
}

// Contains reports whether key is in the range.
func (r Range) Contains(key string) bool {
	return key > r.After && (r.Until == "" || key <= r.Until)
}
