package access

import (
	"fmt"

	"syncd/config"
	"syncd/internal/arn"
)

// OfAnotherOwner reports whether a role of an account is another owner's: neither of the account it
// is assumed from nor of the mapping's destination, which is the operator's own.
func OfAnotherOwner(account, from string, m config.Mapping) bool {
	return account != from && account != m.Destination.Account
}

// WithoutExternalID are the roles of another owner that a mapping assumes without an ExternalId,
// and without saying that they need none.
func (v View) WithoutExternalID() (names []string) {
	for _, name := range v.Roles() {
		role := v.Config.Roles[name]
		if role.ExternalID.IsZero() && OfAnotherOwner(arn.Account(role.ARN), v.accountOf(role.Via), v.Mapping) {
			names = append(names, name)
		}
	}
	return names
}

// DeputyWhy explains the risk of another owner's role that is assumed without an ExternalId.
const DeputyWhy = "assumed without an ExternalId, so that anyone else who can have syncd assume it gets at its owner's data (the confused deputy problem)"

// DeputyFix is the remedy of the risk that [DeputyWhy] explains.
func DeputyFix(role string) string {
	return fmt.Sprintf("have its owner ask for an ExternalId in the trust policy and set roles.%s.external_id; or set it to none, which says that it needs none", role)
}
