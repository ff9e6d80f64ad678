package condition

import "syncd/internal/access/lint/rule"

// The IDs of the rules about conditions.
const (
	unknownKey         = "SYNCD-P202"
	absentKey          = "SYNCD-P203"
	externalIDWithTags = "SYNCD-P204"
	wrongOperator      = "SYNCD-P205"
	literalWildcard    = "SYNCD-P206"
	badValue           = "SYNCD-P207"
	manyValues         = "SYNCD-P208"
	idleIfExists       = "SYNCD-P209"
	matchesAll         = "SYNCD-P210"
	unlikelyValue      = "SYNCD-P211"
	keyOfOthers        = "SYNCD-P213"
	optionalTag        = "SYNCD-P214"
	privateAddress     = "SYNCD-P215"
	forAllUnguarded    = "SYNCD-P303"
)

// Rules returns the rules about conditions.
func Rules() []rule.Rule {
	return []rule.Rule{
		{
			ID: unknownKey, Name: "unknown-key", Severity: rule.SeverityWarning, Title: "There is no such condition key",
			Explanation: "No request carries it: a condition that has to match never does, and a negated one always holds.",
		},
		{
			ID: absentKey, Name: "absent-key", Severity: rule.SeverityWarning, Title: "A condition key that none of the statement's requests carries",
			Explanation: "s3:prefix comes with listings only, and keys of one service do not come with actions of another. The condition never matches, so that an Allow grants nothing; a negated one always holds.",
		},
		{
			ID: externalIDWithTags, Name: "external-id-with-tags", Severity: rule.SeverityError, Title: "sts:ExternalId beside sts:TagSession",
			Explanation: "The key sts:ExternalId exists for sts:AssumeRole only. A statement that also lists sts:TagSession or sts:SetSourceIdentity never matches for those, and every session with tags or a source identity is refused. They need a statement of their own.",
		},
		{
			ID: wrongOperator, Name: "wrong-operator", Severity: rule.SeverityWarning, Title: "An operator of another type than the key",
			Explanation: "The type of the operator has to be that of the key's values: Bool for aws:SecureTransport, IpAddress for aws:SourceIp, Numeric for s3:max-keys. Otherwise it does not match.",
		},
		{
			ID: literalWildcard, Name: "literal-wildcard", Severity: rule.SeverityWarning, Title: "A wildcard that is compared as plain text",
			Explanation: "StringEquals takes * and ? as they are. StringLike and ArnLike know wildcards.",
		},
		{
			ID: badValue, Name: "bad-value", Severity: rule.SeverityError, Title: "A value that the operator cannot read",
			Explanation: "Bool and Null take true and false, Numeric operators numbers, Date operators ISO 8601, IpAddress an address or a CIDR block. AWS refuses others.",
		},
		{
			ID: manyValues, Name: "many-values", Severity: rule.SeverityWarning, Title: "A key of many values without ForAllValues or ForAnyValue",
			Explanation: "A request may carry several values of the key. Without a set operator what is compared is not defined.",
		},
		{
			ID: idleIfExists, Name: "idle-if-exists", Severity: rule.SeverityNote, Title: "IfExists on a negated operator changes nothing",
			Explanation: "A negated operator holds when the key is absent, with or without IfExists. To spare requests without the key, add a Null condition.",
		},
		{
			ID: matchesAll, Name: "matches-all", Severity: rule.SeverityWarning, Title: "A pattern that every value matches",
			Explanation: "StringLike with * alone only asks that the key be present. Null says that more clearly, and narrows nothing more.",
		},
		{
			ID: unlikelyValue, Name: "unlikely-value", Severity: rule.SeverityWarning, Title: "A value that the key never has",
			Explanation: "Accounts have 12 digits, organizations are o-..., VPC endpoints vpce-..., and KMS is told of S3 with its region: s3.us-west-2.amazonaws.com.",
		},
		{
			ID: keyOfOthers, Name: "key-of-others", Severity: rule.SeverityWarning, Title: "A condition key that the named principal never carries",
			Explanation: "Requests of a service principal have no sts:ExternalId, no aws:PrincipalOrgID and no principal tags; aws:SourceArn, aws:SourceAccount and aws:SourceOrgID come with service principals only; and a session of a role has no aws:username (IAM User Guide, AWS global condition context keys, and IAM policy elements: Variables and tags). Cognito and VM Import/Export do send an ExternalId.",
		},
		{
			ID: optionalTag, Name: "optional-tag", Severity: rule.SeverityWarning, Title: "A condition on a tag that a request without the tag passes",
			Explanation: "An operator with IfExists holds when the key is absent: who sends or has no tag gets in. Leave IfExists away, or ask with Null for the tag.",
		},
		{
			ID: privateAddress, Name: "private-address", Severity: rule.SeverityWarning, Title: "A private address in aws:SourceIp",
			Explanation: "aws:SourceIp is the public address that a request comes from, and is absent from requests through a VPC endpoint, which have aws:VpcSourceIp (IAM User Guide, AWS global condition context keys). A private range in an Allow lets nobody in, and one that a Deny spares spares nobody.",
		},
		{
			ID: forAllUnguarded, Name: "for-all-values-unguarded", Severity: rule.SeverityWarning, Title: "ForAllValues lets in requests without the key",
			Explanation: "ForAllValues holds when the request has no value at all. In an Allow it needs {\"Null\": {\"key\": \"false\"}} beside it.",
		},
	}
}
