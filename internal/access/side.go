package access

import (
	"cmp"

	"syncd/internal/arn"
	"syncd/internal/transfer"
)

// Side is whose account a document belongs to.
type Side string

// The sides.
const (
	Both     Side = "both"
	Owner    Side = "owner"    // accounts whose buckets are read
	Consumer Side = "consumer" // all others
)

// OwnersOf are the accounts on the owner's side of a mapping. An access point may be the consumer's
// own, at the bucket of another.
func OwnersOf(source, destination transfer.Place) []string {
	owners := []string{source.Account}
	if account := arn.Account(source.AccessPoint); source.AccessPoint != "" && account != destination.Account {
		owners = append(owners, account)
	}
	return owners
}

// EncryptedSource is what the key of a mapping's source is called after.
func EncryptedSource(source transfer.Place) string {
	return cmp.Or(source.Holder(), "the bucket behind "+source.Identity())
}
