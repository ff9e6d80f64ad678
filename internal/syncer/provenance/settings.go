// Package provenance says where the copies in a ledger come from: between which places, under which key and in which storage class the
// passes made them.
//
// Each generation of a ledger carries two texts. It promises to read those of every earlier version, and to say from which pass on the
// present settings are in force, so that a pass tells the copies made under them from older ones. It also finds the ledgers of other
// names that hold the copies of this mapping.
//
// It leaves to the planner what follows for each object, and to the checkpoint how generations are stored.
//
// Two words: a fingerprint names the settings of a pass, and passes of the same fingerprint resume each other; a memo holds since which
// pass each setting is in force.
package provenance

import "strings"

// Place is one side of a mapping: where keys come from, or where copies go.
type Place struct {
	// Endpoint is the service, "" for AWS.
	Endpoint string `json:"endpoint,omitempty"`
	// Bucket is the bucket, and Prefix what its keys begin with.
	Bucket string `json:"bucket"`
	Prefix string `json:"prefix,omitempty"`
}

// Settings are what decides where copies go and how. Each generation has them in it, so that a pass knows which copies were
// made under others.
type Settings struct {
	Source       Place  `json:"source"`
	Destination  Place  `json:"destination"`
	KeyARN       string `json:"key_arn"`
	StorageClass string `json:"storage_class"`
}

// SameKeys reports whether both settings copy the same objects to the same keys. A source prefix that is narrowed or
// widened along with the destination's does: only the range of keys is another.
func (s Settings) SameKeys(o Settings) bool {
	return s.Source.Endpoint == o.Source.Endpoint && s.Source.Bucket == o.Source.Bucket && s.sameTargets(o)
}

// sameTargets reports whether both settings copy a key at the source to the same place.
func (s Settings) sameTargets(o Settings) bool {
	if s.Destination.Endpoint != o.Destination.Endpoint || s.Destination.Bucket != o.Destination.Bucket {
		return false
	}
	if rest, ok := strings.CutPrefix(s.Source.Prefix, o.Source.Prefix); ok {
		return s.Destination.Prefix == o.Destination.Prefix+rest
	}
	rest, ok := strings.CutPrefix(o.Source.Prefix, s.Source.Prefix)
	return ok && o.Destination.Prefix == s.Destination.Prefix+rest
}

// SourceKey returns the key at the source that is copied to a key at the destination, "" for none.
func (s Settings) SourceKey(key string) string {
	inside, ok := strings.CutPrefix(key, s.Destination.Prefix)
	if !ok {
		return ""
	}
	return s.Source.Prefix + inside
}
