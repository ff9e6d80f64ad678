// Package provenance records the origin of the copies in a ledger: the source and destination, KMS
// key and storage class with which each pass made them.
//
// Each generation of a ledger stores two texts, a fingerprint and a memo. The package can read the
// texts of every earlier version of syncd. It reports since which pass the current settings are in
// force, so that a pass can distinguish copies made under them from older copies. It also finds
// ledgers under other names that record the copies of a mapping.
//
// The planner uses the settings to decide what happens to each object, and the checkpoint package
// stores the generations.
//
// Two terms: a fingerprint identifies the settings of a pass, and only a pass with the same
// fingerprint can resume it. A memo records since which pass each setting is in force.
package provenance

import "syncd/internal/transfer"

// Settings decide where and how objects are copied. Each generation stores its settings, so that a
// pass knows which copies were made under other settings. Only the service, bucket and prefix of
// each place are stored.
type Settings struct {
	// Source and Destination are the places that objects are copied from and to.
	Source, Destination transfer.Place
	// KeyARN is the key that copies are encrypted with, and StorageClass their configured storage
	// class.
	KeyARN, StorageClass string
}

// Same reports whether s and o make the same copies in the same places.
func (s Settings) Same(o Settings) bool {
	return s.Source.Same(o.Source) && s.Destination.Same(o.Destination) && s.KeyARN == o.KeyARN && s.StorageClass == o.StorageClass
}

// SameKeys reports whether s and o copy the same objects to the same keys. This is also true if
// both prefixes were lengthened or shortened by the same text, because only the range of keys
// differs.
func (s Settings) SameKeys(o Settings) bool { return s.Source.SameBucket(o.Source) && s.sameTargets(o) }

// sameTargets reports whether s and o copy each source key to the same place.
func (s Settings) sameTargets(o Settings) bool {
	switch {
	case !s.Destination.SameBucket(o.Destination):
		return false
	case o.Source.Contains(s.Source.Prefix):
		return s.Destination.Prefix == o.DestinationKey(s.Source.Prefix)
	default:
		return s.Source.Contains(o.Source.Prefix) && o.Destination.Prefix == s.DestinationKey(o.Source.Prefix)
	}
}

// DestinationKey returns the destination key that a source key is copied to.
func (s Settings) DestinationKey(key string) string { return s.Source.KeyTo(s.Destination, key) }

// SourceKey returns the source key that is copied to a destination key; ok is false if there is
// none.
func (s Settings) SourceKey(key string) (sourceKey string, ok bool) {
	return s.Destination.KeyFrom(s.Source, key)
}
