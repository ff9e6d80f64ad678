package access

import (
	"cmp"

	"syncd/internal/arn"
	"syncd/internal/transfer"
)

// Side is the side of a mapping that an account belongs to. [Both] selects the documents of both
// sides.
type Side string

// The sides.
const (
	Both     Side = "both"
	Owner    Side = "owner"    // accounts whose buckets are read
	Consumer Side = "consumer" // all other accounts
)

// OwnersOf returns the accounts on the owner's side of a mapping: the account of the source bucket,
// and the account of the access point unless it is the account of the destination.
func OwnersOf(source, destination transfer.Place) []string {
	owners := []string{source.Account}
	if account := arn.Account(source.AccessPoint); source.AccessPoint != "" && account != destination.Account {
		owners = append(owners, account)
	}
	return owners
}

// EncryptedSource returns a description of what the source's KMS key encrypts: the name of the
// bucket, or "the bucket behind" and the access point if the bucket is unknown.
func EncryptedSource(source transfer.Place) string {
	return cmp.Or(source.Holder(), "the bucket behind "+source.Identity())
}
