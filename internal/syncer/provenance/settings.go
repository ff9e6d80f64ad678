// Package provenance says where the copies in a ledger come from: between which places, under which
// key and in which storage class the passes made them.
//
// Each generation of a ledger carries two texts. It promises to read those of every earlier
// version, and to say from which pass on the present settings are in force, so that a pass tells
// the copies made under them from older ones. It also finds the ledgers of other names that hold
// the copies of this mapping.
//
// It leaves to the planner what follows for each object, and to the checkpoint how generations are
// stored.
//
// Two words: a fingerprint names the settings of a pass, and passes of the same fingerprint resume
// each other; a memo holds since which pass each setting is in force.
package provenance

import "syncd/internal/transfer"

// Settings are what decides where copies go and how. Each generation has them in it, so that a pass
// knows which copies were made under others. Of a place it has the service, the bucket and the
// prefix.
type Settings struct {
	// Source and Destination are the two sides.
	Source, Destination transfer.Place
	// KeyARN is the key that copies are encrypted with, and StorageClass their class as it is
	// configured.
	KeyARN, StorageClass string
}

// Same reports whether both settings make the same copies in the same places.
func (s Settings) Same(o Settings) bool {
	return s.Source.Same(o.Source) && s.Destination.Same(o.Destination) && s.KeyARN == o.KeyARN && s.StorageClass == o.StorageClass
}

// SameKeys reports whether both settings copy the same objects to the same keys. A source prefix
// that is narrowed or widened along with the destination's does: only the range of keys is another.
func (s Settings) SameKeys(o Settings) bool { return s.Source.SameBucket(o.Source) && s.sameTargets(o) }

// sameTargets reports whether both settings copy a key at the source to the same place.
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

// DestinationKey returns the key at the destination that a key at the source is copied to.
func (s Settings) DestinationKey(key string) string { return s.Source.KeyTo(s.Destination, key) }

// SourceKey returns the key at the source that is copied to a key at the destination; ok is false
// where none is.
func (s Settings) SourceKey(key string) (sourceKey string, ok bool) {
	return s.Destination.KeyFrom(s.Source, key)
}
