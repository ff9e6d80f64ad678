// Package listing reads a bucket's objects in key order from any source of listings.
//
// It guarantees that keys are strictly ascending in byte order and exactly as the service stores
// them: no key is normalized, merged or dropped. If a service returns keys out of order, the
// listing fails, because the merge with the ledger, deletes and resuming rely on the order. If a
// listing fails, the last element of its sequence is the error, so an error is never mistaken for
// the end of the bucket.
//
// Package plan filters the objects and compares them with the ledger.
//
// Two terms: an [Object] is one entry of a listing, without the object's content; a [Range] is a
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

// Range is a half-open interval of keys: the keys after After, up to and including Until. The zero
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
