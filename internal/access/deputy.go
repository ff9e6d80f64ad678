package access

import (
	"fmt"

	"syncd/config"
	"syncd/internal/arn"
)

// OfAnotherOwner reports whether account, the account of a role, belongs to an owner other than the
// operator of syncd. The parameter from is the account of the principal that assumes the role. That
// account and the account of the mapping's destination belong to the operator.
func OfAnotherOwner(account, from string, m config.Mapping) bool {
	return account != from && account != m.Destination.Account
}

// WithoutExternalID returns the roles of another owner that the mapping assumes without an
// ExternalId, except those configured with external_id: none.
func (v View) WithoutExternalID() (names []string) {
	for _, name := range v.Roles() {
		role := v.Config.Roles[name]
		if role.ExternalID.IsZero() && OfAnotherOwner(arn.Account(role.ARN), v.accountOf(role.Via), v.Mapping) {
			names = append(names, name)
		}
	}
	return names
}

// DeputyWhy explains the risk of assuming another owner's role without an ExternalId.
const DeputyWhy = "assumed without an ExternalId: anyone else who can make syncd assume this role can read its owner's data (the confused deputy problem)"

// DeputyFix returns the remedy for the risk that [DeputyWhy] explains.
func DeputyFix(role string) string {
	return fmt.Sprintf("ask its owner to require an ExternalId in the trust policy, then set roles.%s.external_id; or set it to none if the role needs no ExternalId", role)
}
