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
			Explanation: "Across accounts both sides have to allow: the identity policy of the role, and the policy of the bucket, the key or the role that it assumes. The hint is a statement that closes the gap.",
		},
		{
			ID: permissionDenied, Name: "permission-denied", Severity: rule.SeverityError, Title: "A statement denies what a mapping needs",
			Explanation: "An explicit deny wins over every allow.",
		},
		{
			ID: documentMissing, Name: "document-missing", Severity: rule.SeverityNote, Title: "A document was not given, and not judged",
			Explanation: "What a mapping needs of it is taken as granted.",
		},
		{
			ID: noExternalID, Name: "no-external-id", Severity: rule.SeverityWarning, Title: "A role of another owner is assumed without an ExternalId",
			Explanation: "Anyone else who can make syncd assume a role by its ARN gets at the data of its owner: the confused deputy problem (IAM User Guide, The confused deputy problem). The owner's trust policy should ask for an ExternalId that belongs to this relation alone. external_id: none says that the role needs none, as inside one organization.",
		},
	}
}

// finding returns a finding of a rule without a location in a file.
func finding(id, message, fix string) rule.Finding { return rule.Of(Rules(), id).Finding(message, fix) }
