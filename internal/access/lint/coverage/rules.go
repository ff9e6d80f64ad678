package coverage

import (
	"syncd/internal/access/lint/rule"
)

// The IDs of the rules about permissions that mappings lack.
const (
	permissionMissing = "SYNCD-P401"
	permissionDenied  = "SYNCD-P402"
	documentMissing   = "SYNCD-P403"
	noExternalID      = "SYNCD-P404"
)

// Rules returns the rules about permissions that mappings lack.
func Rules() []rule.Rule {
	return []rule.Rule{
		{
			ID: permissionMissing, Name: "permission-missing", Severity: rule.SeverityError, Title: "A mapping lacks a permission",
			Explanation: "Across accounts both sides must allow a request: the identity policy of the role, and the policy of the bucket, the key or the assumed role. The fix contains the missing statement.",
		},
		{
			ID: permissionDenied, Name: "permission-denied", Severity: rule.SeverityError, Title: "A statement denies what a mapping needs",
			Explanation: "An explicit deny overrides every allow.",
		},
		{
			ID: documentMissing, Name: "document-missing", Severity: rule.SeverityNote, Title: "A document was not given, so it was not checked",
			Explanation: "The check assumes that this document allows what the mappings need.",
		},
		{
			ID: noExternalID, Name: "no-external-id", Severity: rule.SeverityWarning, Title: "A role of another owner is assumed without an ExternalId",
			Explanation: "Anyone else who can make syncd assume a role by its ARN can access the data of the role's owner (IAM User Guide, The confused deputy problem). The owner's trust policy should require an ExternalId that is used only for this consumer. external_id: none means that the role needs no ExternalId, for example within one organization.",
		},
	}
}

// finding returns a finding of a rule without a location in a file.
func finding(id, message, fix string) rule.Finding { return rule.Of(Rules(), id).Finding(message, fix) }
