package access

import (
	"cmp"

	"syncd/config"
)

// Side is whose account a document belongs to.
type Side string

// The sides.
const (
	Both     Side = "both"
	Owner    Side = "owner"    // accounts whose buckets are read
	Consumer Side = "consumer" // all others
)

// OwnersOf are the accounts on the owner's side of a mapping. An access point may be the consumer's own, at the bucket of another.
func OwnersOf(m config.Mapping) []string {
	owners := []string{m.Source.Account}
	if p, ok := m.Source.AccessPoint(); ok && p.Account != m.Destination.Account {
		owners = append(owners, p.Account)
	}
	return owners
}

// EncryptedSource is what the key of a mapping's source is called after.
func EncryptedSource(m config.Mapping) string {
	return cmp.Or(m.Source.Holder(), "the bucket behind "+m.Source.Identity())
}
