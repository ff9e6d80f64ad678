package access

import (
	"cmp"

	"syncd/internal/arn"
	"syncd/internal/transfer"
)

// Side is the side that a document's account belongs to.
type Side string

// The sides.
const (
	Both     Side = "both"
	Owner    Side = "owner"    // accounts whose buckets are read
	Consumer Side = "consumer" // all other accounts
)

// OwnersOf returns the accounts on the owner's side of a mapping. The consumer may own an access
// point to another owner's bucket; its account is then not included.
func OwnersOf(source, destination transfer.Place) []string {
	owners := []string{source.Account}
	if account := arn.Account(source.AccessPoint); source.AccessPoint != "" && account != destination.Account {
		owners = append(owners, account)
	}
	return owners
}

// EncryptedSource returns the name used for the source's KMS key: the bucket that the key encrypts.
func EncryptedSource(source transfer.Place) string {
	return cmp.Or(source.Holder(), "the bucket behind "+source.Identity())
}
